import { describe, expect, it } from "vitest";
import type { InactivityLine, Signal } from "../api/contract";
import {
  accelerationCurve,
  accelerationFacts,
  inactivityCurve,
  midnight_ms,
  spanAround,
  vitalEvidence,
} from "./curves";

const NOW_MS = Date.parse("2026-03-01T04:30:00Z"); // 12:30 in Shanghai

describe("vital signs", () => {
  const window = ["2026-03-01T04:00:00Z", "2026-03-01T04:05:00Z"];

  it("takes limit and window from the evidence", () => {
    expect(vitalEvidence({ measure: "heart_rate_per_min", limit: 131, window })).toEqual({
      measure: "heart_rate_per_min",
      limit: 131,
      window,
    });
  });

  it.each([{}, { measure: "x" }, { measure: "x", window: ["?", "?"] }, { measure: 3, window }])(
    "draws nothing from %j",
    (evidence) => {
      expect(vitalEvidence(evidence)).toBeNull();
    },
  );

  it("asks for what came before, and for no more than the hub answers", () => {
    const [from, until] = spanAround(["2026-02-20T04:00:00Z", "2026-03-01T04:00:00Z"]);
    expect(Date.parse(until) - Date.parse(from)).toBeLessThan(48 * 3_600_000);
    expect(spanAround(window as [string, string])[0]).toBe("2026-03-01T02:00:00.000Z");
  });
});

describe("acceleration", () => {
  const signal: Signal = {
    alarm_id: "a",
    device_id: "d",
    received_at: "",
    sample_rate_hz: 2,
    range_g: 16,
    x_mg: [0, 3000, 0, 0, 0, 0],
    y_mg: [0, 4000, 0, 0, 0, 0],
    z_mg: [1000, 0, 1000, 1000, 1000],
  };

  it("is drawn in g over seconds, as long as all axes are", () => {
    const { data } = accelerationCurve(signal, "g", "");
    expect(data[0]).toEqual([0, 0.5, 1, 1.5, 2]);
    expect(data[1]?.[1]).toBe(5);
  });

  it("says how hard and how still", () => {
    expect(accelerationFacts(signal)?.peak_g).toBe(5);
    expect(accelerationFacts({ ...signal, x_mg: [] })).toBeNull();
  });
});

describe("inactivity", () => {
  const line: InactivityLine = {
    premises_id: "home",
    last_sign_at: null,
    learning: false,
    days: 30,
    days_needed: 14,
    learned_on: null,
    time_zone: "Asia/Shanghai",
    slot_min: 30,
    day_rooms_min: Array.from({ length: 48 }, () => 60),
    bed_rooms_min: [],
    limit_percent: 150,
    silences: [
      { began_at: "2026-02-28T14:00:00Z", ended_at: "2026-02-28T22:00:00Z", near_bed: true, limit_min: 600 },
      { began_at: "2026-03-01T02:30:00Z", ended_at: null, near_bed: false, limit_min: 90 },
    ],
  };

  it("knows midnight in the person's zone", () => {
    expect(new Date(midnight_ms(NOW_MS, "Asia/Shanghai")).toISOString()).toBe("2026-02-28T16:00:00.000Z");
  });

  it("draws the line with its factor, and marks what went beyond it", () => {
    const midnight = midnight_ms(NOW_MS, "Asia/Shanghai");
    const curve = inactivityCurve(line, midnight, NOW_MS, "", "");
    expect(curve.data[1]?.[0]).toBe(90);
    expect(curve.bars.map((bar) => [bar.height, bar.beyond])).toEqual([
      [480, false],
      [120, true],
    ]);
    expect(curve.bars[0]?.from_s).toBe(midnight / 1000);
    expect(curve.range(0, 0)[1]).toBeGreaterThan(480);
  });
});
