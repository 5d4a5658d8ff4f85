// Which view and incident the address names: a reload, a bookmark or a link in a message leads back.

export type View = "incidents" | "resolved" | "devices";

export interface Route {
  readonly view: View;
  readonly incident_id: string | null;
}

const VIEWS: readonly View[] = ["incidents", "resolved", "devices"];
const ID = /^[a-z0-9-]{1,64}$/;

export function readRoute(hash: string): Route {
  const [name, id] = hash.replace(/^#\/?/, "").split("/");
  const view = VIEWS.find((each) => each === name) ?? "incidents";
  const incident_id = view !== "devices" && id !== undefined && ID.test(id) ? id : null;
  return { view, incident_id };
}

export function writeRoute(route: Route): string {
  return route.incident_id === null ? `#/${route.view}` : `#/${route.view}/${route.incident_id}`;
}
