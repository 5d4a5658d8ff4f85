// What this phone keeps of the family page: when it last heard the hub, and how large it writes.
// Nothing of what was heard.

import { recall, remember } from "../shell/storage";

const SEEN_KEY = "carebell.family.seen_ms";
const SIZE_KEY = "carebell.family.size";
// Written at most this often: storage is slow on cheap phones.
const WRITE_EVERY_MS = 10_000;

export const SIZES = ["normal", "large", "largest"] as const;
export type Size = (typeof SIZES)[number];
const PERCENT: Record<Size, string> = { normal: "112.5%", large: "137.5%", largest: "162.5%" };

let written_ms = 0;

export function recallSeen_ms(): number | null {
  const seen_ms = Number(recall(SEEN_KEY) ?? "");
  return Number.isFinite(seen_ms) && seen_ms > 0 ? seen_ms : null;
}

export function rememberSeen(now_ms: number): void {
  if (Math.abs(now_ms - written_ms) < WRITE_EVERY_MS) return;
  written_ms = now_ms;
  remember(SEEN_KEY, String(now_ms));
}

export function recallSize(): Size {
  return SIZES.find((size) => size === recall(SIZE_KEY)) ?? "normal";
}

export function writeAt(size: Size): void {
  document.documentElement.style.fontSize = PERCENT[size];
  remember(SIZE_KEY, size);
}
