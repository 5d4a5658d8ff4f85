import { describe, expect, it } from "vitest";
import { homeOf, mayOpen, readRoute, viewsFor, writeRoute } from "./places";

describe("addresses", () => {
  it.each([
    ["", null],
    ["#/elsewhere/abc", null],
    ["#/incidents", { view: "incidents", id: null, part: null }],
    ["#/incidents/abc-1", { view: "incidents", id: "abc-1", part: null }],
    ["#/devices/button-1/test", { view: "devices", id: "button-1", part: "test" }],
    ["#/people/<script>/care", { view: "people", id: null, part: null }],
  ] as const)("%s", (hash, route) => {
    expect(readRoute(hash)).toEqual(route);
  });

  it("lead back to where they were written", () => {
    const route = { view: "people", id: "wang", part: "edit" } as const;
    expect(readRoute(writeRoute(route))).toEqual(route);
  });
});

describe("who may open what", () => {
  it("gives an installer devices and no incidents", () => {
    const deeds = ["browse", "provision"];
    expect(homeOf(deeds)).toBe("people");
    expect(mayOpen("incidents", deeds)).toBe(false);
    expect(viewsFor(deeds)).toContain("devices");
    expect(viewsFor(deeds)).not.toContain("import");
  });

  it("gives everybody their settings", () => {
    expect(viewsFor([])).toEqual(["settings"]);
  });
});
