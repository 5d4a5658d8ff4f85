import { describe, expect, it } from "vitest";
import { age_years, clockTime, duration, stopwatch, zoneNote } from "./wording";

const AT_MS = Date.parse("2026-03-01T19:12:07Z");
const UNITS = { s: "s", min: "min", h: "h", d: "d" };

describe("clockTime", () => {
  it("speaks the premises' time", () => {
    expect(clockTime(AT_MS, AT_MS, "en", "Asia/Shanghai")).toBe("03:12:07");
    expect(clockTime(AT_MS, AT_MS, "zh-CN", "Europe/Berlin")).toBe("20:12:07");
  });

  it("names the day when it is another one there", () => {
    const later_ms = AT_MS + 24 * 3_600_000;
    expect(clockTime(AT_MS, later_ms, "zh-CN", "Asia/Shanghai")).toBe("3月2日 03:12:07");
  });

  it("falls back to the desk's zone, and to a dash without a time", () => {
    expect(clockTime(AT_MS, AT_MS, "en", "Nowhere/Land")).toMatch(/^\d\d:\d\d:\d\d$/);
    expect(clockTime(Number.NaN, AT_MS, "en", null)).toBe("—");
  });
});

it("zoneNote is silent without a zone of the premises", () => {
  expect(zoneNote(AT_MS, "en", null)).toBe("");
  expect(zoneNote(AT_MS, "en", "Pacific/Kiritimati")).toBe("GMT+14");
});

it.each([
  [-5_000, "0:00"],
  [42_999, "0:42"],
  [725_000, "12:05"],
  [11_229_000, "3:07:09"],
])("stopwatch(%d)", (elapsed_ms, text) => {
  expect(stopwatch(elapsed_ms)).toBe(text);
});

it.each([
  [-1, "0 s"],
  [59_999, "59 s"],
  [60_000, "1 min"],
  [3_600_000, "1 h"],
  [11_220_000, "3 h 7 min"],
  [200_000_000, "2 d"],
])("duration(%d)", (elapsed_ms, text) => {
  expect(duration(elapsed_ms, UNITS)).toBe(text);
});

it("age_years", () => {
  expect(age_years(1941, AT_MS)).toBe(85);
});
