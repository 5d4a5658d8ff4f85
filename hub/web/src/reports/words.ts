// Figures as the reports say them.

import { preferences, t, units } from "../desk/preferences.svelte";
import { duration } from "../time/wording";

/** Longer than the hub allows a report: a question that is given up too early is computed twice. */
export const REPORT_WITHIN_MS = 25_000;

export function figure(value: number, digits = 0): string {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(preferences.language, options).format(value);
}

/** "97.5 %"; a dash of nothing. */
export function percentText(percent: number | null): string {
  return percent === null ? "–" : `${figure(percent, 1)} %`;
}

/** "39 of 40": without it a share says little. */
export function counts(part: number, whole: number): string {
  return t("reports.of", { part: figure(part), whole: figure(whole) });
}

/** 3.2 s, 48 s, 12 min; a dash of nothing. */
export function seconds(value: number | null): string {
  if (value === null) return "–";
  if (value < 0.1) return `<\u00a0${figure(0.1, 1)}\u00a0${t("unit.s")}`;
  if (value < 10) return `${figure(value, 1)}\u00a0${t("unit.s")}`;
  return duration(value * 1000, units());
}

/** The same question as a file for a spreadsheet, which wants a byte order mark to read UTF-8. */
export function csvAddress(path: string, asked: Record<string, string | null>): string {
  const search = new URLSearchParams({ format: "csv", bom: "true" });
  for (const [key, value] of Object.entries(asked)) if (value !== null) search.set(key, value);
  return `${path}?${search.toString()}`;
}
