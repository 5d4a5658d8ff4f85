import { describe, expect, it } from "vitest";
import type { Incident } from "../api/contract";
import { isCurrent, placeOf, silentAmong } from "./board";

describe("stale never looks live", () => {
  const AT_MS = 1_000_000;

  it.each([
    [{ at_ms: AT_MS, line_live: true }, AT_MS + 29_000, true],
    [{ at_ms: AT_MS, line_live: true }, AT_MS + 30_000, false],
    [{ at_ms: AT_MS, line_live: false }, AT_MS, false],
    [{ at_ms: null, line_live: true }, AT_MS, false],
  ])("%j at %d: %s", (freshness, now_ms, current) => {
    expect(isCurrent(freshness, now_ms)).toBe(current);
  });
});

it("an incident without a position is where the person lives", () => {
  const premises = { latitude: 31.2, longitude: 121.4 };
  const lost = { position: { latitude: 0, longitude: 0 }, premises } as Incident;
  expect(placeOf(lost)).toBe(premises);
  expect(placeOf({ position: null, premises: null } as Incident)).toBeNull();
});

it("a silent area is among the silent ones, a press is not", () => {
  const incidents = ["press", "area_outage", "device_silent"].map((kind) => ({ kind }) as Incident);
  expect(silentAmong(incidents)).toHaveLength(2);
});
