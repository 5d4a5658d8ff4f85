// Times in words and figures; `now_ms` is always an argument.

import type { Language } from "../api/contract";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Two ways of writing days on one page would be read wrongly: 3/4 is the third of April here. */
export function localeOf(language: Language): string {
  return language === "en" ? "en-GB" : language;
}

const formats = new Map<Intl.DateTimeFormatOptions, Map<string, Intl.DateTimeFormat>>();

function format(
  language: Language,
  time_zone: string | null,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  let alike = formats.get(options);
  if (alike === undefined) formats.set(options, (alike = new Map()));
  const key = `${language} ${time_zone ?? ""}`;
  let held = alike.get(key);
  if (held === undefined) {
    const locale = localeOf(language);
    try {
      held = new Intl.DateTimeFormat(locale, time_zone === null ? options : { ...options, timeZone: time_zone });
    } catch {
      // A zone this browser does not know: the desk's own zone, rather than no time at all.
      held = new Intl.DateTimeFormat(locale, options);
    }
    alike.set(key, held);
  }
  return held;
}

const TIME: Intl.DateTimeFormatOptions = {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
};
const DAY: Intl.DateTimeFormatOptions = { year: "numeric", month: "2-digit", day: "2-digit" };
const SHORT_DAY: Intl.DateTimeFormatOptions = { month: "short", day: "numeric" };

/** 03:12:07 today; with the day in front when it is another day in that zone. */
export function clockTime(
  at_ms: number,
  now_ms: number,
  language: Language,
  time_zone: string | null,
): string {
  if (Number.isNaN(at_ms)) return "—";
  const time = format(language, time_zone, TIME).format(at_ms);
  if (at_ms === now_ms) return time;
  const day = format(language, time_zone, DAY);
  if (day.format(at_ms) === day.format(now_ms)) return time;
  return `${format(language, time_zone, SHORT_DAY).format(at_ms)} ${time}`;
}

const MINUTES: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

/** 03:12, for whoever needs no seconds. */
export function shortTime(at_ms: number, language: Language, time_zone: string | null): string {
  return Number.isNaN(at_ms) ? "—" : format(language, time_zone, MINUTES).format(at_ms);
}

/** "Mar 4" of a moment in UTC. */
export function shortDay(at_ms: number, language: Language): string {
  return Number.isNaN(at_ms) ? "—" : format(language, "UTC", SHORT_DAY).format(at_ms);
}

const OFFSET: Intl.DateTimeFormatOptions = { timeZoneName: "shortOffset" };

/** "GMT+8" when the premises' zone is not the desk's; empty when it is. */
export function zoneNote(at_ms: number, language: Language, time_zone: string | null): string {
  if (time_zone === null || Number.isNaN(at_ms)) return "";
  const name = (zone: string | null): string =>
    format(language, zone, OFFSET)
      .formatToParts(at_ms)
      .find((part) => part.type === "timeZoneName")?.value ?? "";
  const there = name(time_zone);
  return there === name(null) ? "" : there;
}

/** A running figure: 0:42, 12:05, 3:07:09; for anything over a day see `duration`. */
export function stopwatch(elapsed_ms: number): string {
  const total_s = Math.max(0, Math.floor(elapsed_ms / SECOND_MS));
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(total_s / 3600);
  const minutes = Math.floor((total_s % 3600) / 60);
  const seconds = two(total_s % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${seconds}` : `${minutes}:${seconds}`;
}

/** 42 s, 12 min, 3 h 7 min, 2 d: the words come from the catalogue's unit strings. */
export interface DurationUnits {
  readonly s: string;
  readonly min: string;
  readonly h: string;
  readonly d: string;
}

export function duration(elapsed_ms: number, units: DurationUnits): string {
  const elapsed = Math.max(0, elapsed_ms);
  const whole = (unit_ms: number): number => Math.floor(elapsed / unit_ms);
  if (elapsed < MINUTE_MS) return `${whole(SECOND_MS)} ${units.s}`;
  if (elapsed < HOUR_MS) return `${whole(MINUTE_MS)} ${units.min}`;
  if (elapsed < DAY_MS) {
    const minutes = whole(MINUTE_MS) % 60;
    const hours = `${whole(HOUR_MS)} ${units.h}`;
    return minutes === 0 ? hours : `${hours} ${minutes} ${units.min}`;
  }
  return `${whole(DAY_MS)} ${units.d}`;
}

/** The age in years that a birth year makes likely; the birthday is not known. */
export function age_years(birth_year: number, now_ms: number): number {
  return new Date(now_ms).getUTCFullYear() - birth_year;
}
