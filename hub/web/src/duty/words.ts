import { preferences, t, word } from "../desk/preferences.svelte";
import { localeOf } from "../time/wording";

/** "Mon, 23/11, 08:00" or "11/23周一 08:00", in the desk's own time zone. */
export function dayTime(at: string | number): string {
  const options = { weekday: "short", month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  return new Intl.DateTimeFormat(localeOf(preferences.language), options).format(new Date(at));
}

export function dayName(at_ms: number): string {
  const options = { weekday: "short", month: "numeric", day: "numeric" } as const;
  return new Intl.DateTimeFormat(localeOf(preferences.language), options).format(at_ms);
}

function timeOnly(at: string): string {
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  return new Intl.DateTimeFormat(localeOf(preferences.language), options).format(new Date(at));
}

/** The end of a shift: midnight is the end of the day, not the beginning of one. */
export function hoursOf(from_at: string, until_at: string): string {
  const end = timeOnly(until_at);
  return `${timeOnly(from_at)}–${end === "00:00" ? "24:00" : end}`;
}

export function weekdayName(index: number): string {
  const monday = Date.UTC(2026, 0, 5);
  const format = new Intl.DateTimeFormat(preferences.language, { weekday: "short", timeZone: "UTC" });
  return format.format(monday + index * 86_400_000);
}

/** "Mon–Fri", "Mon, Wed", every day. */
export function weekdaysText(weekdays: readonly number[]): string {
  const sorted = [...weekdays].sort((a, b) => a - b);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined) return "";
  if (sorted.length === 7) return t("duty.every_day");
  if (sorted.length > 2 && last - first === sorted.length - 1) return `${weekdayName(first)}–${weekdayName(last)}`;
  return sorted.map(weekdayName).join(preferences.language === "en" ? ", " : "、");
}

export function roleName(duty: string): string {
  return word("duty_role", duty);
}
