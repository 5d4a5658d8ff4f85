/** `connecting`: nothing known yet. `stale`: what is shown may no longer be true. */
export type LineState = "connecting" | "live" | "stale";

// The feed sends stats every 2 s; its contract calls 5 s of nothing a cut line. Half a second less
// leaves room for the page's own tick, so that the banner is up within those 5 s.
export const STALE_AFTER_MS = 4_500;
// A connection that brought nothing for three heartbeats is dropped and dialled again.
export const REDIAL_AFTER_MS = 6_000;

export interface LineReading {
  readonly known: boolean;
  /** False as soon as the connection ends: no need to wait for silence. */
  readonly connected: boolean;
  readonly last_event_ms: number;
}

export function lineState(reading: LineReading, now_ms: number): LineState {
  if (!reading.known) return "connecting";
  if (!reading.connected) return "stale";
  return now_ms - reading.last_event_ms >= STALE_AFTER_MS ? "stale" : "live";
}

const FIRST_WAIT_MS = 500;
// A desk comes back within seconds of its hub; 5,000 desks do not exist behind one hub.
const LONGEST_WAIT_MS = 5_000;

/** How long to wait before dial number `attempt` (0 is the first after a cut). */
export function redialWait_ms(attempt: number, chance: number): number {
  const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt, 10));
  return full * (0.5 + chance / 2);
}
