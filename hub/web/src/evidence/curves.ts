// What is drawn as evidence, from what the hub answers. Pure.

import type { InactivityLine, Points, Signal } from "../api/contract";

export interface Series {
  readonly label: string;
  /** The name of a colour of the page. */
  readonly colour: string;
  readonly thin?: boolean;
  readonly dots?: boolean;
  readonly stepped?: boolean;
}

export interface Bar {
  readonly from_s: number;
  readonly until_s: number;
  readonly height: number;
  /** Longer than the limit. */
  readonly beyond: boolean;
}

export interface Curve {
  /** Columns: x, then one a series; x in seconds since 1970, or since the beginning without a zone. */
  readonly data: readonly (readonly (number | null)[])[];
  readonly series: readonly Series[];
  readonly limits: readonly number[];
  readonly band: readonly [number, number] | null;
  readonly bars: readonly Bar[];
  readonly time_zone: string | null;
  /** The same in words, for whoever does not see it. */
  readonly words: string;
  range(low: number | null, high: number | null): [number, number];
}

export interface VitalEvidence {
  readonly measure: string;
  readonly limit: number | null;
  readonly window: readonly [string, string];
}

/** The part of a vital-sign finding's evidence that is drawn; null: nothing of that kind. */
export function vitalEvidence(evidence: Readonly<Record<string, unknown>>): VitalEvidence | null {
  const { measure, limit, window } = evidence;
  if (typeof measure !== "string" || !Array.isArray(window) || window.length !== 2) return null;
  if (!window.every((at) => typeof at === "string" && !Number.isNaN(Date.parse(at)))) return null;
  return {
    measure,
    limit: typeof limit === "number" ? limit : null,
    window: [String(window[0]), String(window[1])],
  };
}

const MINUTE_MS = 60_000;
// Long enough to see what is usual before it began, short enough to see how it began.
const BEFORE_MS = 120 * MINUTE_MS;
const AFTER_MS = 30 * MINUTE_MS;
const LONGEST_MS = 47 * 60 * MINUTE_MS;

/** Which stretch of history shows how it came to this: [from, to] as the API asks for it. */
export function spanAround(window: readonly [string, string]): [string, string] {
  const until_ms = Date.parse(window[1]) + AFTER_MS;
  const from_ms = Math.max(Date.parse(window[0]) - BEFORE_MS, until_ms - LONGEST_MS);
  return [new Date(from_ms).toISOString(), new Date(until_ms).toISOString()];
}

function roomFor(values: readonly number[]) {
  return (low: number | null, high: number | null): [number, number] => {
    const all = [...values, ...(low === null ? [] : [low]), ...(high === null ? [] : [high])];
    if (all.length === 0) return [0, 1];
    const least = Math.min(...all);
    const most = Math.max(...all);
    const room = Math.max((most - least) * 0.15, 1);
    return [least - room, most + room];
  };
}

export function vitalCurve(points: Points, evidence: VitalEvidence, label: string, words: string): Curve {
  const limits = evidence.limit === null ? [] : [evidence.limit];
  return {
    data: [
      points.items.map((point) => Date.parse(point.at) / 1000),
      points.items.map((point) => point.last ?? point.mean),
    ],
    series: [{ label, colour: "--accent", dots: true }],
    limits,
    band: [Date.parse(evidence.window[0]) / 1000, Date.parse(evidence.window[1]) / 1000],
    bars: [],
    time_zone: points.time_zone,
    words,
    range: roomFor(limits),
  };
}

const MILLI = 1000;

/** Acceleration in g over seconds: how hard, and whether it lay still afterwards. */
export function accelerationCurve(signal: Signal, label: string, words: string): Curve {
  const axes = [signal.x_mg, signal.y_mg, signal.z_mg];
  const length = Math.min(...axes.map((axis) => axis.length));
  const seconds = Array.from({ length }, (_, n) => n / signal.sample_rate_hz);
  const whole = seconds.map((_, n) => Math.hypot(...axes.map((axis) => axis[n] ?? 0)) / MILLI);
  return {
    data: [seconds, whole, ...axes.map((axis) => axis.slice(0, length).map((mg) => mg / MILLI))],
    series: [
      { label, colour: "--ink" },
      { label: "x", colour: "--high-fill", thin: true },
      { label: "y", colour: "--good-fill", thin: true },
      { label: "z", colour: "--low-fill", thin: true },
    ],
    limits: [],
    band: null,
    bars: [],
    time_zone: null,
    words,
    range: roomFor([]),
  };
}

/** The hardest moment and how still it was in the last two seconds, in g. */
export function accelerationFacts(signal: Signal): { peak_g: number; rest_g: number } | null {
  const length = Math.min(signal.x_mg.length, signal.y_mg.length, signal.z_mg.length);
  if (length === 0) return null;
  const whole = Array.from({ length }, (_, n) =>
    Math.hypot(signal.x_mg[n] ?? 0, signal.y_mg[n] ?? 0, signal.z_mg[n] ?? 0),
  );
  const end = whole.slice(-Math.max(1, Math.round(2 * signal.sample_rate_hz)));
  const mean = end.reduce((sum, each) => sum + each, 0) / end.length;
  const spread = Math.sqrt(end.reduce((sum, each) => sum + (each - mean) ** 2, 0) / end.length);
  return { peak_g: Math.max(...whole) / MILLI, rest_g: spread / MILLI };
}

/** Today's silences of a home under the line it may not cross. */
export function inactivityCurve(
  line: InactivityLine,
  midnight_ms: number,
  now_ms: number,
  words: string,
  label: string,
): Curve {
  const slot_s = line.slot_min * 60;
  const midnight_s = midnight_ms / 1000;
  const slots = (24 * 60) / line.slot_min;
  const limits_min = line.day_rooms_min.map((each) => (each * line.limit_percent) / 100);
  const xs = Array.from({ length: slots + 1 }, (_, n) => midnight_s + n * slot_s);
  const bars = line.silences.map((silence): Bar => {
    const from_ms = Date.parse(silence.began_at);
    const until_ms = silence.ended_at === null ? now_ms : Date.parse(silence.ended_at);
    const height = Math.max(0, until_ms - from_ms) / MINUTE_MS;
    return {
      from_s: Math.max(midnight_ms, from_ms) / 1000,
      until_s: until_ms / 1000,
      height,
      beyond: height > silence.limit_min,
    };
  });
  const highest = Math.max(60, ...limits_min, ...bars.map((bar) => bar.height));
  return {
    data: [xs, xs.map((_, n) => limits_min[Math.min(n, limits_min.length - 1)] ?? null)],
    series: [{ label, colour: "--medium-fill", stepped: true }],
    limits: [],
    band: null,
    bars,
    time_zone: line.time_zone,
    words,
    range: () => [0, highest * 1.1],
  };
}

/** The last local midnight before `now_ms` in a zone. */
export function midnight_ms(now_ms: number, time_zone: string): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: time_zone,
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).formatToParts(now_ms);
  const figure = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const since_ms = ((figure("hour") * 60 + figure("minute")) * 60 + figure("second")) * 1000;
  return Math.floor(now_ms / 1000) * 1000 - since_ms;
}
