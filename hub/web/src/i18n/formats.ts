// The browser's own formats, made once each: making one takes longer than using it a hundred times.

import type { Language } from "../api/contract";

const figures = new Map<string, Intl.NumberFormat>();
const names = new Map<Language, Intl.DisplayNames>();

/** Writes figures with at most so many digits behind the point. */
export function figureFormat(language: Language, digits: number): Intl.NumberFormat {
  const key = `${language} ${digits}`;
  let held = figures.get(key);
  if (held === undefined) {
    held = new Intl.NumberFormat(language, { maximumFractionDigits: digits });
    figures.set(key, held);
  }
  return held;
}

/** What languages are called. */
export function languageNames(language: Language): Intl.DisplayNames {
  let held = names.get(language);
  if (held === undefined) {
    held = new Intl.DisplayNames([language], { type: "language" });
    names.set(language, held);
  }
  return held;
}
