import { describe, expect, it } from "vitest";
import type { Incident } from "../api/contract";
import { dotOf, extentOf, isCurrent, placeOf, silentAmong } from "./board";

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

describe("what the map shows", () => {
  const at = (latitude: number, longitude: number, homes: number) => ({ latitude, longitude, homes });
  const street = [at(31.2, 121.4, 300), at(31.3, 121.5, 300)];

  it("is nearly all homes and every incident", () => {
    const far = { latitude: 31.9, longitude: 121.9 };
    const corners = extentOf(street, [far]);
    expect(corners).toContain(far);
    expect(corners).toContainEqual({ latitude: 31.2, longitude: 121.4 });
    expect(corners).toContainEqual({ latitude: 31.3, longitude: 121.5 });
  });

  it("is not what one home in another city makes of it", () => {
    const corners = extentOf([...street, at(24.9, 118.6, 1)], []);
    expect(Math.min(...corners.map((corner) => corner.latitude))).toBe(31.2);
  });

  it("is the incidents where no home has a place", () => {
    expect(extentOf([], [])).toEqual([]);
  });

  it("draws a full square larger, and never so large that it hides the map", () => {
    expect(dotOf(at(0, 0, 1))).toBe(4);
    expect(dotOf(at(0, 0, 100))).toBe(8);
    expect(dotOf(at(0, 0, 1e9))).toBe(10);
  });
});
