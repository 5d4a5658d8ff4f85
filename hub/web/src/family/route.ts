// Which part of the family page is open: the address bar is the truth, so that a notification, the
// back button and a reload all lead to the same place.

export type FamilyView = "home" | "incident" | "history" | "share" | "settings";

export interface FamilyRoute {
  readonly view: FamilyView;
  readonly id: string | null;
}

const WITH_ID: readonly FamilyView[] = ["incident", "history", "share"];
const PATTERN = /^#\/(incident|history|share|settings)(?:\/([a-z0-9-]{1,64}))?$/;

/** "#/incident/i-1"; anything else is the first page. */
export function readRoute(hash: string): FamilyRoute {
  const match = PATTERN.exec(hash);
  const view = match?.[1] as FamilyView | undefined;
  const id = match?.[2] ?? null;
  if (view === undefined || (WITH_ID.includes(view) && id === null)) return { view: "home", id: null };
  return { view, id };
}

export function writeRoute(view: FamilyView, id: string | null = null): string {
  if (view === "home") return "#/";
  return id === null ? `#/${view}` : `#/${view}/${id}`;
}
