// The radio walk test: from which room a press arrives, and how fast. Pure.

import type { components } from "../../generated/schema";

export type Press = components["schemas"]["PressView"];

export interface Visit {
  readonly room: string;
  readonly press: Press | null;
}

/** A press belongs to the room the installer stands in, and the first one counts. */
export function heard(visits: readonly Visit[], press: Press): Visit[] {
  const here = visits.at(-1);
  if (here === undefined || here.press !== null) return [...visits];
  if (visits.some((visit) => visit.press?.id === press.id)) return [...visits];
  return [...visits.slice(0, -1), { ...here, press }];
}

/** Into another room: one that nothing was heard from stays in the list as such. */
export function entered(visits: readonly Visit[], room: string): Visit[] {
  return [...visits, { room, press: null }];
}

/** What the test says so far: every room answered, or which did not. */
export function silentRooms(visits: readonly Visit[]): string[] {
  return visits.filter((visit) => visit.press === null).map((visit) => visit.room);
}
