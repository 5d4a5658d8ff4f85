import type { Language } from "../api/contract";
import { say, sayWord, type Key, type Places } from "../i18n/catalogue";
import { recall, remember } from "../shell/storage";
import type { DurationUnits } from "../time/wording";

export type Theme = "system" | "light" | "dark";

const THEMES: readonly Theme[] = ["system", "light", "dark"];
const LANGUAGE_KEY = "carebell.language";
const THEME_KEY = "carebell.theme";
const SINGLE_KEYS_KEY = "carebell.single_keys";

function asLanguage(value: string | null): Language | null {
  return value === "en" || value === "zh-CN" ? value : null;
}

class Preferences {
  language = $state<Language>("zh-CN");
  theme = $state<Theme>("system");
  /** Single-letter keys can be switched off (WCAG 2.2, 2.1.4): dictation software types letters. */
  single_keys = $state(recall(SINGLE_KEYS_KEY) !== "off");
  private chosen = false;

  constructor() {
    const language = asLanguage(recall(LANGUAGE_KEY));
    this.chosen = language !== null;
    this.setLanguage(language ?? (navigator.language.startsWith("zh") ? "zh-CN" : "en"));
    this.setTheme(THEMES.find((theme) => theme === recall(THEME_KEY)) ?? "system");
  }

  /** The account's language counts until somebody chooses one on this desk. */
  suggestLanguage(language: string): void {
    const known = asLanguage(language);
    if (!this.chosen && known !== null) this.setLanguage(known);
  }

  switchLanguage(): void {
    this.chosen = true;
    this.setLanguage(this.language === "en" ? "zh-CN" : "en");
    remember(LANGUAGE_KEY, this.language);
  }

  switchTheme(): void {
    const next = THEMES[(THEMES.indexOf(this.theme) + 1) % THEMES.length] ?? "system";
    this.setTheme(next);
    remember(THEME_KEY, next);
  }

  switchSingleKeys(): void {
    this.single_keys = !this.single_keys;
    remember(SINGLE_KEYS_KEY, this.single_keys ? "on" : "off");
  }

  private setLanguage(language: Language): void {
    this.language = language;
    document.documentElement.lang = language;
  }

  private setTheme(theme: Theme): void {
    this.theme = theme;
    document.documentElement.dataset["theme"] = theme;
  }
}

export const preferences = new Preferences();

/** The text for `key` in the language of this desk. */
export function t<K extends Key>(key: K, ...places: Places<K>): string {
  return say(preferences.language, key, ...places);
}

/** A word of the hub's vocabulary in the language of this desk. */
export function word(prefix: string, value: string): string {
  return sayWord(preferences.language, prefix, value);
}

export function units(): DurationUnits {
  return { s: t("unit.s"), min: t("unit.min"), h: t("unit.h"), d: t("unit.d") };
}
