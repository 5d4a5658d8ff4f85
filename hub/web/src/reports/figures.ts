// What the reports show, from what the hub counted. Pure.

import type { ServiceRow } from "../api/contract";

// UK Telecare Services Association's standard for answering, percent.
export const ANSWERED_60_TARGET_PERCENT = 97.5;
export const ANSWERED_180_TARGET_PERCENT = 99;

export const SPANS_DAYS = [7, 30, 90, 365] as const;

export interface Span {
  /** Days as YYYY-MM-DD, both included. */
  readonly from: string;
  readonly to: string;
}

const DAY_MS = 86_400_000;

/** The day in a zone; the desk's own zone where the browser does not know that one. */
export function dayAt(at_ms: number, time_zone: string | null): string {
  const options = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
  const told = (zone: string | undefined): string =>
    new Intl.DateTimeFormat("en-CA", { ...options, ...(zone ? { timeZone: zone } : {}) }).format(at_ms);
  try {
    return told(time_zone ?? undefined);
  } catch {
    return told(undefined);
  }
}

/** So many days with `to` as the last one. */
export function lastDays(count: number, to: string): Span {
  return { from: daysLater(to, 1 - count), to };
}

export function daysLater(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Both days are real, in order, and not more than the hub counts at once. */
export function isSpan({ from, to }: Span, most_days: number): boolean {
  const [from_ms, to_ms] = [Date.parse(from), Date.parse(to)];
  return from_ms <= to_ms && to_ms - from_ms <= most_days * DAY_MS;
}

export type Verdict = "met" | "missed" | "none";

/** Whether a share meets what is aimed at; nothing counted meets nothing and misses nothing. */
export function verdict(percent: number | null, target_percent: number | null): Verdict {
  if (percent === null || target_percent === null) return "none";
  return percent >= target_percent ? "met" : "missed";
}

export interface Days {
  /** Midnight of each day in UTC, s since 1970. */
  readonly at_s: readonly number[];
  readonly answered_60_percent: readonly (number | null)[];
  readonly answered_180_percent: readonly (number | null)[];
  readonly attended_percent: readonly (number | null)[];
  readonly incidents: readonly number[];
}

/** Every day of the span: one without incidents has no share, and is not left out. */
export function dailyColumns(rows: readonly ServiceRow[], span: Span): Days {
  const by_day = new Map(rows.map((row) => [row.key, row]));
  const days: string[] = [];
  for (let day = span.from; day <= span.to; day = daysLater(day, 1)) days.push(day);
  const found = days.map((day) => by_day.get(day));
  return {
    at_s: days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000),
    answered_60_percent: found.map((row) => row?.answered_60_percent ?? null),
    answered_180_percent: found.map((row) => row?.answered_180_percent ?? null),
    attended_percent: found.map((row) => row?.attended_within_percent ?? null),
    incidents: found.map((row) => row?.incidents ?? 0),
  };
}
