// The week of a rota as a table, in the desk's own time zone. Pure.

import type { Rota, Shift } from "../api/contract";

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export const DUTY_ROLES = ["dispatcher", "second", "supervisor"] as const;
export type DutyRole = (typeof DUTY_ROLES)[number];

/** The local midnight that begins the Monday of the week, so many weeks on. */
export function weekBegin_ms(now_ms: number, weeks_on: number): number {
  const day = new Date(now_ms);
  const since_monday = (day.getDay() + 6) % 7;
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() - since_monday + 7 * weeks_on).getTime();
}

/** The eight local midnights round seven days: a day of a change of clocks is shorter or longer. */
export function midnights_ms(begin_ms: number): number[] {
  const day = new Date(begin_ms);
  return Array.from({ length: 8 }, (_, n) =>
    new Date(day.getFullYear(), day.getMonth(), day.getDate() + n).getTime(),
  );
}

/** Which of the days a moment falls on; -1 is before them. */
export function dayOf(midnights: readonly number[], at_ms: number): number {
  return midnights.filter((midnight) => midnight <= at_ms).length - 1;
}

export interface Line {
  readonly area_id: string;
  readonly duty: DutyRole;
  /** By day, each shift on the day on which it begins. */
  readonly days: readonly (readonly Shift[])[];
}

/** One line an area and duty, in the order of areas and of the ladder. */
export function weekLines(shifts: readonly Shift[], midnights: readonly number[]): Line[] {
  const lines = new Map<string, { area_id: string; duty: DutyRole; days: Shift[][] }>();
  for (const shift of shifts) {
    const at_ms = Date.parse(shift.from_at);
    const day = dayOf(midnights, at_ms);
    if (day < 0 || day >= midnights.length - 1) continue;
    const key = `${shift.area_id} ${shift.duty}`;
    let line = lines.get(key);
    if (line === undefined) {
      line = { area_id: shift.area_id, duty: shift.duty, days: midnights.slice(1).map(() => []) };
      lines.set(key, line);
    }
    line.days[day]?.push(shift);
  }
  const rank = (line: Line): number => DUTY_ROLES.indexOf(line.duty);
  return [...lines.values()].sort(
    (a, b) => a.area_id.localeCompare(b.area_id) || rank(a) - rank(b),
  );
}

export interface Span {
  readonly area_id: string;
  readonly duty: DutyRole;
  /** Null: not a time yet. */
  readonly from_at: string | null;
  readonly until_at: string | null;
}

/** Who has a shift in that duty of that area some time in the span; everybody once. */
export function onShift(shifts: readonly Shift[], span: Span): { id: string; name: string }[] {
  if (span.from_at === null || span.until_at === null) return [];
  const [from_ms, until_ms] = [Date.parse(span.from_at), Date.parse(span.until_at)];
  const found = new Map<string, string>();
  for (const shift of shifts) {
    const same = shift.area_id === span.area_id && shift.duty === span.duty;
    if (same && Date.parse(shift.from_at) < until_ms && Date.parse(shift.until_at) > from_ms) {
      found.set(shift.account_id, shift.account_name);
    }
  }
  return [...found].map(([id, name]) => ({ id, name }));
}

/** "2026-03-01T08:00" for a field of date and time, in the desk's own time zone; and back. */
export function fieldTime(at_ms: number): string {
  const at = new Date(at_ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

export function momentOf(field: string): string | null {
  const at_ms = new Date(field).getTime();
  return Number.isNaN(at_ms) ? null : new Date(at_ms).toISOString();
}

export interface Repeated {
  readonly ids: readonly number[];
  readonly weekdays: readonly number[];
  readonly row: Rota["weekly"][number];
}

/** Weekly shifts that differ by nothing but the day, as one. */
export function joined(weekly: Rota["weekly"]): Repeated[] {
  const found = new Map<string, { ids: number[]; weekdays: number[]; row: Rota["weekly"][number] }>();
  for (const row of weekly) {
    const { id, weekday, ...rest } = row;
    const key = JSON.stringify(rest);
    const same = found.get(key);
    if (same === undefined) found.set(key, { ids: [id], weekdays: [weekday], row });
    else {
      same.ids.push(id);
      same.weekdays.push(weekday);
    }
  }
  return [...found.values()];
}
