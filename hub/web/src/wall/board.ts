// What a wall board shows, from what is known. Pure.

import type { Incident } from "../api/contract";
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
