import { expect, it } from "vitest";
import { AGAIN_WITHIN_MS, down, HOLD_MS, IDLE, isSent, progress, tapped } from "./hold";

it("sends after a second of holding and shows how far it is", () => {
  const held = down(IDLE, 1_000);
  expect(down(held, 1_500)).toBe(held);
  expect(progress(held, 1_500)).toBe(0.5);
  expect(isSent(held, 1_000 + HOLD_MS - 1)).toBe(false);
  expect(isSent(held, 1_000 + HOLD_MS)).toBe(true);
});

it("sends at the second tap in time, and never at a single one", () => {
  const first = tapped(IDLE, 1_000);
  expect(first.sends).toBe(false);
  expect(tapped(first.hold, 1_000 + AGAIN_WITHIN_MS).sends).toBe(true);
  expect(tapped(first.hold, 1_001 + AGAIN_WITHIN_MS).sends).toBe(false);
});
