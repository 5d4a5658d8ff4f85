// What a wall board shows, from what is known. Pure.

import type { Incident, SquareOfHomes } from "../api/contract";
import type { QueueGroup } from "../desk/queue";
import { isPlace, type Place } from "../map/projection";

/** Of incidents about silence: a device, a sensor channel, a whole area. */
const SILENCE: readonly string[] = ["device_silent", "device_never_heard", "area_outage"];

export function silentAmong(incidents: readonly Incident[]): Incident[] {
  return incidents.filter((incident) => SILENCE.includes(incident.kind));
}

/** Every open incident, in the order of the queue. */
export function openOf(queue: readonly QueueGroup[]): Incident[] {
  return queue.flatMap((part) => part.incidents);
}

/** Where an incident is: where the person was last, else their home. */
export function placeOf(incident: Incident): Place | null {
  for (const at of [incident.position, incident.premises]) {
    if (at !== null && isPlace(at.latitude, at.longitude)) return at as Place;
  }
  return null;
}

export interface Freshness {
  /** When the answer was put together, by the hub's clock; null: there was none yet. */
  readonly at_ms: number | null;
  readonly line_live: boolean;
}

// Two answers in a row may be late before a figure counts as old.
export const REFRESH_MS = 10_000;
const OLD_AFTER_MS = 3 * REFRESH_MS;

/** Whether the figures may be shown as they are now. */
export function isCurrent({ at_ms, line_live }: Freshness, now_ms: number): boolean {
  return line_live && at_ms !== null && now_ms - at_ms < OLD_AFTER_MS;
}

// Of the homes on each side of the map, the share that may lie outside it.
const LEFT_OUT = 0.02;

/** Corners of what the map must show: every incident, and nearly all homes. One that was registered
 * in the wrong city must not make dots of everything else. */
export function extentOf(squares: readonly SquareOfHomes[], incidents: readonly Place[]): Place[] {
  const homes = squares.reduce((sum, square) => sum + square.homes, 0);
  if (homes === 0) return [...incidents];
  const within = (key: keyof Place): [number, number] => {
    const sorted = [...squares].sort((a, b) => a[key] - b[key]);
    const past = (share: number): number => {
      let seen = 0;
      return sorted.find((square) => (seen += square.homes) > share * homes)?.[key] ?? sorted.at(-1)![key];
    };
    return [past(LEFT_OUT), past(1 - LEFT_OUT)];
  };
  const [south, north] = within("latitude");
  const [west, east] = within("longitude");
  return [...incidents, { latitude: south, longitude: west }, { latitude: north, longitude: east }];
}

const DOT_PX = 4;
const LARGEST_DOT_PX = 10;

/** How large a square's dot is: ten times the homes are seen, but do not hide the map. */
export function dotOf(square: SquareOfHomes): number {
  return Math.min(LARGEST_DOT_PX, DOT_PX + 2 * Math.log10(square.homes));
}
