// Holding the button, by finger, key or screen reader. Pure: times are arguments.
//
// One second of holding sends. Whoever cannot hold (a screen reader's activation, a trembling hand)
// sends with a second activation within five seconds: a person who taps again and again needs help.

export const HOLD_MS = 1_000;
export const AGAIN_WITHIN_MS = 5_000;

export interface Hold {
  /** Since when it is held down; null: it is not. */
  readonly since_ms: number | null;
  /** When it was tapped last; null: not, or long ago. */
  readonly tapped_ms: number | null;
}

export const IDLE: Hold = { since_ms: null, tapped_ms: null };

/** 0 to 1. */
export function progress(hold: Hold, now_ms: number): number {
  return hold.since_ms === null ? 0 : Math.min(1, (now_ms - hold.since_ms) / HOLD_MS);
}

export function down(hold: Hold, now_ms: number): Hold {
  return hold.since_ms === null ? { ...hold, since_ms: now_ms } : hold;
}

/** Time passes: whether it is held long enough. */
export function isSent(hold: Hold, now_ms: number): boolean {
  return hold.since_ms !== null && now_ms - hold.since_ms >= HOLD_MS;
}

/** Let go too early, or activated without holding: the first time arms, the second sends. */
export function tapped(hold: Hold, now_ms: number): { hold: Hold; sends: boolean } {
  const again = hold.tapped_ms !== null && now_ms - hold.tapped_ms <= AGAIN_WITHIN_MS;
  return { hold: { since_ms: null, tapped_ms: again ? null : now_ms }, sends: again };
}

export function isArmed(hold: Hold, now_ms: number): boolean {
  return hold.tapped_ms !== null && now_ms - hold.tapped_ms <= AGAIN_WITHIN_MS;
}
