import { expect, it } from "vitest";
import { differing, minuteOfDay, moved, newId, timeOfDay } from "./forms";

it("sends only what differs", () => {
  const before = { name: "A", phone: null, birth_year: 1940 };
  expect(differing(before, { name: "A", phone: "1", birth_year: null })).toEqual({
    phone: "1",
    birth_year: null,
  });
});

it("draws ids that the hub takes", () => {
  expect(newId("person")).toMatch(/^person-[0-9a-f]{8}$/);
  expect(newId("person")).not.toBe(newId("person"));
});

it.each([
  [0, 1, ["b", "a", "c"]],
  [2, 1, ["a", "b", "c"]],
  [0, -1, ["a", "b", "c"]],
  [2, -1, ["a", "c", "b"]],
] as const)("moves %d by %d", (at, by, expected) => {
  expect(moved(["a", "b", "c"], at, by)).toEqual(expected);
});

it("reads and writes times of day", () => {
  expect(minuteOfDay("07:30")).toBe(450);
  expect(minuteOfDay("")).toBeNull();
  expect(timeOfDay(450)).toBe("07:30");
  expect(timeOfDay(null)).toBe("");
});
