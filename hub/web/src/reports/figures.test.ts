import { describe, expect, it } from "vitest";
import type { ServiceRow } from "../api/contract";
import { dailyColumns, dayAt, isSpan, lastDays, verdict } from "./figures";

describe("days", () => {
  it("are those of the area, not of the desk", () => {
    const at_ms = Date.parse("2026-03-01T17:00:00Z");
    expect(dayAt(at_ms, "Asia/Shanghai")).toBe("2026-03-02");
    expect(dayAt(at_ms, "America/New_York")).toBe("2026-03-01");
    expect(dayAt(at_ms, "Nowhere/Land")).toMatch(/^2026-03-0[12]$/);
  });

  it("count the last one too", () => {
    expect(lastDays(7, "2026-03-01")).toEqual({ from: "2026-02-23", to: "2026-03-01" });
  });

  it.each([
    ["2026-03-01", "2026-03-01", true],
    ["2026-03-02", "2026-03-01", false],
    ["2025-01-01", "2026-03-01", false],
    ["", "2026-03-01", false],
  ])("%s to %s: %s", (from, to, sensible) => {
    expect(isSpan({ from, to }, 400)).toBe(sensible);
  });
});

it("a share of nothing is neither met nor missed", () => {
  expect(verdict(null, 97.5)).toBe("none");
  expect(verdict(97.5, 97.5)).toBe("met");
  expect(verdict(97.4, 97.5)).toBe("missed");
});

it("a day without incidents is drawn as a gap, not as a perfect day", () => {
  const row = { key: "2026-03-02", incidents: 3, answered_60_percent: 66.7, answered_180_percent: 100 };
  const days = dailyColumns([row as ServiceRow], { from: "2026-03-01", to: "2026-03-03" });
  expect(days.answered_60_percent).toEqual([null, 66.7, null]);
  expect(days.incidents).toEqual([0, 3, 0]);
  expect(days.at_s[1]! - days.at_s[0]!).toBe(86_400);
});
