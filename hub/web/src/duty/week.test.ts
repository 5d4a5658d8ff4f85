import { describe, expect, it } from "vitest";
import type { Shift } from "../api/contract";
import { fieldTime, midnights_ms, momentOf, weekBegin_ms, weekLines } from "./week";

const SUNDAY_MS = new Date(2026, 2, 1, 15, 30).getTime();
const MONDAY_MS = new Date(2026, 1, 23).getTime();

function shift(from: Date, area_id = "city", duty: Shift["duty"] = "dispatcher"): Shift {
  const until_at = new Date(from.getTime() + 8 * 3_600_000).toISOString();
  return { account_id: "lin", account_name: "Lin", area_id, duty, at_desk: false, from_at: from.toISOString(), until_at };
}

describe("the week", () => {
  it("begins on Monday, also on a Sunday", () => {
    expect(weekBegin_ms(SUNDAY_MS, 0)).toBe(MONDAY_MS);
    expect(weekBegin_ms(MONDAY_MS, 1)).toBe(new Date(2026, 2, 2).getTime());
  });

  it("puts a shift on the day on which it begins, one line an area and duty", () => {
    const midnights = midnights_ms(MONDAY_MS);
    const lines = weekLines(
      [
        shift(new Date(2026, 1, 24, 22), "street"),
        shift(new Date(2026, 1, 23), "city", "second"),
        shift(new Date(2026, 1, 23), "city"),
        shift(new Date(2026, 2, 2), "city"),
      ],
      midnights,
    );
    expect(lines.map((line) => [line.area_id, line.duty])).toEqual([
      ["city", "dispatcher"],
      ["city", "second"],
      ["street", "dispatcher"],
    ]);
    expect(lines[0]?.days.map((day) => day.length)).toEqual([1, 0, 0, 0, 0, 0, 0]);
    expect(lines[2]?.days.map((day) => day.length)).toEqual([0, 1, 0, 0, 0, 0, 0]);
  });
});

it("a field's time leads back to the moment", () => {
  expect(momentOf(fieldTime(SUNDAY_MS))).toBe(new Date(SUNDAY_MS).toISOString());
  expect(momentOf("")).toBeNull();
});
