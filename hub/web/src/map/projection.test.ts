import { describe, expect, it } from "vitest";
import { drawPlan, isPlace, length_m, offsetFrom, roundStep_m } from "./projection";

const HOME = { latitude: 26.0753, longitude: 119.2965 };

describe("offsetFrom", () => {
  it("agrees with the length of a degree", () => {
    const north = offsetFrom(HOME, { ...HOME, latitude: HOME.latitude + 0.001 });
    expect(north.north_m).toBeCloseTo(111.2, 0);
    const east = offsetFrom(HOME, { ...HOME, longitude: HOME.longitude + 0.001 });
    expect(east.east_m).toBeCloseTo(111.2 * Math.cos((HOME.latitude * Math.PI) / 180), 0);
  });

  it("takes the short way over the date line", () => {
    const origin = { latitude: 0, longitude: 179.999 };
    expect(length_m(offsetFrom(origin, { latitude: 0, longitude: -179.999 }))).toBeLessThan(300);
  });
});

it.each([
  [1, 1],
  [19, 10],
  [20, 20],
  [99, 50],
  [180, 100],
])("roundStep_m(%d)", (most_m, step_m) => {
  expect(roundStep_m(most_m)).toBeCloseTo(step_m);
});

it("isPlace refuses what cannot be drawn", () => {
  expect(isPlace(26, 119)).toBe(true);
  expect(isPlace(null, 119)).toBe(false);
  expect(isPlace(0, 0)).toBe(false);
  expect(isPlace(91, 0)).toBe(false);
});

describe("drawPlan", () => {
  it("has nothing to draw without a place", () => {
    expect(drawPlan(null, null, 10)).toBeNull();
  });

  it("shows premises alone, not nearer than a house", () => {
    expect(drawPlan(HOME, null, 500)).toMatchObject({
      reach_m: 40,
      accuracy_m: 0,
      apart_m: null,
      position: null,
    });
  });

  it("keeps both points and the whole circle inside", () => {
    const position = { latitude: HOME.latitude + 0.01, longitude: HOME.longitude - 0.004 };
    const plan = drawPlan(HOME, position, 200);
    if (plan?.premises == null || plan.position === null) throw new Error("nothing drawn");
    expect(plan.apart_m).toBeCloseTo(1182, -1);
    expect(Math.abs(plan.position.north_m) + 200).toBeLessThan(plan.reach_m);
    expect(Math.abs(plan.premises.north_m)).toBeLessThan(plan.reach_m);
    expect(plan.position.north_m).toBeCloseTo(-plan.premises.north_m);
  });
});
