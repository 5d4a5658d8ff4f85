import { describe, expect, it } from "vitest";
import { clustered, sidesOf, type Mark } from "./labels";

const FRAME = { width: 400, height: 300 };
const label = (x: number, y: number): Mark => ({ at: { x, y }, radius: 10, name: { width: 100, height: 20 } });

describe("incidents close together", () => {
  it("are one mark in the name of the most important", () => {
    const placed = [
      { item: "press", at: { x: 100, y: 100 } },
      { item: "battery", at: { x: 110, y: 100 } },
      { item: "gas", at: { x: 200, y: 100 } },
    ];
    expect(clustered(placed, 24)).toEqual([
      { at: { x: 100, y: 100 }, first: "press", count: 2 },
      { at: { x: 200, y: 100 }, first: "gas", count: 1 },
    ]);
  });
});

describe("names on the map", () => {
  it("stand to the right where there is room", () => {
    expect(sidesOf([label(100, 100)], FRAME, [], 6)).toEqual(["right"]);
  });

  it("stay inside the map", () => {
    expect(sidesOf([label(390, 150)], FRAME, [], 6)).toEqual(["left"]);
    expect(sidesOf([label(390, 285)], FRAME, [], 6)).toEqual(["left"]);
  });

  it("give way to the mark beside them", () => {
    expect(sidesOf([label(100, 100), label(150, 100)], FRAME, [], 6)).toEqual(["top", "right"]);
  });

  it("never lie over one another: the less important is left out", () => {
    const crowd = [0, 5, 10, 15].map((down) => label(200, 100 + down));
    const sides = sidesOf(crowd, FRAME, [], 6);
    expect(sides[0]).toBe("right");
    expect(sides[1]).toBe("left");
    expect(sides).toContain(null);
  });

  it("give way to marks that have none", () => {
    const nameless = { ...label(150, 100), name: null };
    expect(sidesOf([label(100, 100), nameless], FRAME, [], 6)).toEqual(["top", null]);
  });

  it("leave the scale readable", () => {
    const scale = { x: 100, y: 90, width: 120, height: 20 };
    expect(sidesOf([label(85, 100)], FRAME, [scale], 6)).toEqual(["top"]);
  });
});
