import { describe, expect, it } from "vitest";
import { drawn, freeZoneId, radiusBy } from "./zones";

const CENTRE = { latitude: 31.23, longitude: 121.47 };
const NORTH = { latitude: 31.2309, longitude: 121.47 };
const EAST = { latitude: 31.23, longitude: 121.471 };

describe("drawing a zone", () => {
  it("needs a centre for a circle and three corners for a polygon", () => {
    expect(drawn("circle", [], 100)).toBeNull();
    expect(drawn("circle", [CENTRE], 100)).toEqual({ type: "circle", ...CENTRE, radius_m: 100 });
    expect(drawn("polygon", [CENTRE, NORTH], 100)).toBeNull();
    expect(drawn("polygon", [CENTRE, NORTH, EAST], 100)?.type).toBe("polygon");
  });

  it("stays within what the hub takes", () => {
    expect(drawn("circle", [CENTRE], 3)).toMatchObject({ radius_m: 20 });
    expect(drawn("circle", [CENTRE], 1e9)).toMatchObject({ radius_m: 50_000 });
  });

  it("takes the radius from a second click", () => {
    expect(radiusBy([CENTRE])).toBeNull();
    expect(radiusBy([CENTRE, NORTH])).toBeCloseTo(100, 0);
  });

  it("finds a free name", () => {
    expect(freeZoneId(["zone-1", "park", "zone-3"])).toBe("zone-2");
  });
});
