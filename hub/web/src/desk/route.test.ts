import { expect, it } from "vitest";
import { readRoute, writeRoute } from "./route";

it.each([
  ["", "incidents", null],
  ["#/incidents", "incidents", null],
  ["#/incidents/abc-1", "incidents", "abc-1"],
  ["#/resolved/abc", "resolved", "abc"],
  ["#/devices/abc", "devices", null],
  ["#/elsewhere/abc", "incidents", "abc"],
  ["#/incidents/<script>", "incidents", null],
] as const)("%s", (hash, view, incident_id) => {
  expect(readRoute(hash)).toEqual({ view, incident_id });
});

it("leads back to where it was written", () => {
  const route = { view: "resolved", incident_id: "abc-1" } as const;
  expect(readRoute(writeRoute(route))).toEqual(route);
});
