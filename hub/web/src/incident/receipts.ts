// What became of the messages to one recipient: whoever was told may not have heard. Pure.

import type { TimelineEntry } from "../api/contract";

export interface Receipt {
  readonly channel: string;
  /** A word of the catalogue's `delivery`. */
  readonly became: string;
}

/** Nobody was reached by these, and nobody will be. */
const LOST: ReadonlySet<string> = new Set(["failed", "refused", "broken", "unreachable"]);

/** The last word of each channel, in the order in which they were first used. */
export function receiptsOf(timeline: readonly TimelineEntry[], recipient: string): Receipt[] {
  const last = new Map<string, string>();
  for (const { action, detail, reason } of timeline) {
    if (action === "send" && detail?.["recipient"] === recipient && reason) {
      last.set(String(detail["channel"] ?? ""), reason);
    }
  }
  return [...last].map(([channel, became]) => ({ channel, became }));
}

/** True where every way that was tried came to nothing; false also where nothing is known yet. */
export function isUnreached(receipts: readonly Receipt[]): boolean {
  return receipts.length > 0 && receipts.every((each) => LOST.has(each.became));
}
