// Which incidents make a sound on this desk, and which tone wins.

import type { Incident, Priority } from "../api/contract";
import type { Bell, FeedState } from "../feed/state";

// A press that comes while an acknowledgement is still waiting for the database must be heard, but
// the state cannot show it yet; so it sounds for a while by itself.
export const AGAIN_RINGS_FOR_MS = 20_000;
export const MUTE_FOR_MS = 60_000;

export interface Mute {
  readonly from_ms: number;
  readonly until_ms: number;
}

export interface Ringing {
  readonly priority: Priority | null;
  readonly ids: ReadonlySet<string>;
}

const LOUDEST_FIRST: readonly Priority[] = ["high", "medium", "low"];

function rings(incident: Incident, state: FeedState, now_ms: number): boolean {
  if (incident.state === "resolved" || incident.state === "checking") return false;
  // A kept action counts: a human has taken it, the hub only has not written it down yet.
  if (incident.state === "raised" && incident.pending_action === null) return true;
  const bell = state.bells.get(incident.id);
  return (
    bell !== undefined &&
    bell.times > 1 &&
    !bell.answered &&
    now_ms - bell.at_ms < AGAIN_RINGS_FOR_MS
  );
}

/** Everything that should ring now, muted or not; `sending` are incidents with an action under way. */
export function whatRings(
  state: FeedState,
  sending: ReadonlySet<string>,
  now_ms: number,
): Ringing {
  const ids = new Set<string>();
  const priorities = new Set<Priority>();
  for (const incident of state.incidents.values()) {
    if (sending.has(incident.id) || !rings(incident, state, now_ms)) continue;
    ids.add(incident.id);
    priorities.add(incident.priority);
  }
  return { ids, priority: LOUDEST_FIRST.find((each) => priorities.has(each)) ?? null };
}

// As long as its animation takes (views/IncidentRow.svelte).
const FLASHES_FOR_MS = 3_600;

/** Whether a row flashes: for what rang just now, not for what is only scrolled to. */
export function flashes(bell: Bell | undefined, now_ms: number): boolean {
  return bell !== undefined && now_ms - bell.at_ms < FLASHES_FOR_MS;
}

/** A mute ends by itself, and at once when something new rings or is pressed again. */
export function isMuted(mute: Mute | null, rung_at_ms: number, now_ms: number): boolean {
  return mute !== null && now_ms < mute.until_ms && rung_at_ms <= mute.from_ms;
}
