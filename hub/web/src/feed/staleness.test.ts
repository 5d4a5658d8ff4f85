import { describe, expect, it } from "vitest";
import { lineState, REDIAL_AFTER_MS, redialWait_ms, STALE_AFTER_MS } from "./staleness";

const LIVE = { known: true, connected: true, last_event_ms: 10_000 };

describe("lineState", () => {
  it("connects until something is known", () => {
    expect(lineState({ ...LIVE, known: false, connected: false }, 99_999)).toBe("connecting");
  });

  it("is live while events come", () => {
    expect(lineState(LIVE, 10_000 + STALE_AFTER_MS - 1)).toBe("live");
  });

  it("is stale after silence, within the 5 s of the contract", () => {
    expect(lineState(LIVE, 10_000 + STALE_AFTER_MS)).toBe("stale");
    expect(STALE_AFTER_MS + 250).toBeLessThan(5_000);
  });

  it("is stale at once when the connection ends", () => {
    expect(lineState({ ...LIVE, connected: false }, 10_001)).toBe("stale");
  });

  it("shows a cut before it dials again", () => {
    expect(REDIAL_AFTER_MS).toBeGreaterThan(STALE_AFTER_MS);
  });
});

describe("redialWait_ms", () => {
  it("doubles up to five seconds, spread by chance", () => {
    expect([0, 1, 2, 3, 4, 50].map((attempt) => redialWait_ms(attempt, 1))).toEqual([
      500, 1000, 2000, 4000, 5000, 5000,
    ]);
    expect(redialWait_ms(0, 0)).toBe(250);
  });
});
