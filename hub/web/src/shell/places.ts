// The views of the desk: who may open them, in which order they stand, and how addresses name them.

/** What an account may do, as the hub says it with the log-in (docs/roles.md). */
export type Deeds = readonly string[];

export const VIEWS = [
  "incidents",
  "resolved",
  "calls",
  "people",
  "homes",
  "devices",
  "duty",
  "wall",
  "reports",
  "policies",
  "import",
  "settings",
] as const;
export type View = (typeof VIEWS)[number];

/** The deeds a view needs; null: open to whoever is logged in. */
const NEEDS: Record<View, string | readonly string[] | null> = {
  incidents: "look",
  resolved: "look",
  calls: "act",
  people: "browse",
  homes: "browse",
  devices: "browse",
  duty: "browse",
  wall: ["look", "browse"],
  reports: "report",
  policies: "browse",
  import: "register",
  settings: null,
};

/** Opened now and then: they stand behind "more", so that the daily ones fit into one line. */
const SELDOM: readonly View[] = ["reports", "policies", "import", "settings"];
/** Reached through people, devices and incidents. */
const UNLISTED: readonly View[] = ["homes"];

export function mayOpen(view: View, deeds: Deeds): boolean {
  const needs = NEEDS[view];
  return needs === null || [needs].flat().every((deed) => deeds.includes(deed));
}

export function viewsFor(deeds: Deeds): View[] {
  return VIEWS.filter((view) => mayOpen(view, deeds));
}

/** The views of the page's head: the daily ones, and those behind "more". */
export function listed(deeds: Deeds): { readonly daily: View[]; readonly seldom: View[] } {
  const views = viewsFor(deeds).filter((view) => !UNLISTED.includes(view));
  return {
    daily: views.filter((view) => !SELDOM.includes(view)),
    seldom: views.filter((view) => SELDOM.includes(view)),
  };
}

/** Where somebody starts: the queue, or what is theirs where they see no incidents. */
export function homeOf(deeds: Deeds): View {
  return viewsFor(deeds)[0] ?? "settings";
}

export interface Route {
  readonly view: View;
  /** The incident, person, home or device; "new" for one to be added. */
  readonly id: string | null;
  /** A part of that page. */
  readonly part: string | null;
}

const ID = /^[a-z0-9-]{1,64}$/;

/** Null: the address names no view, so the account's own first one is meant. */
export function readRoute(hash: string): Route | null {
  const [name, id, part] = hash.replace(/^#\/?/, "").split("/");
  const view = VIEWS.find((each) => each === name);
  if (view === undefined) return null;
  const known = (text: string | undefined): string | null =>
    text !== undefined && ID.test(text) ? text : null;
  return { view, id: known(id), part: known(id) === null ? null : known(part) };
}

export function writeRoute(route: Partial<Route> & { readonly view: View }): string {
  const parts = [route.view, route.id, route.part].filter((part) => part != null);
  return `#/${parts.join("/")}`;
}
