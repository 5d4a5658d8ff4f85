import type { Language } from "../api/contract";
import { en } from "./en";
import { zh } from "./zh";

export type Key = keyof typeof zh;

const CATALOGUES: Record<Language, Record<Key, string>> = { "zh-CN": zh, en };

type PlacesIn<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PlacesIn<Rest>
  : never;

/** What a text needs filled in; the compiler reads it from the Chinese catalogue. */
export type Places<K extends Key> = [PlacesIn<(typeof zh)[K]>] extends [never]
  ? []
  : [Record<PlacesIn<(typeof zh)[K]>, string | number>];

/** The keys that need nothing filled in: what may be stored and said later. */
export type PlainKey = { [K in Key]: Places<K> extends [] ? K : never }[Key];

export function say<K extends Key>(language: Language, key: K, ...places: Places<K>): string {
  const text = CATALOGUES[language][key];
  const values: Record<string, string | number> = places[0] ?? {};
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** A word of the hub's vocabulary; one this page does not know yet is shown as it came. */
export function sayWord(language: Language, prefix: string, word: string): string {
  const key = `${prefix}.${word}`;
  return key in zh ? CATALOGUES[language][key as Key] : word.replaceAll("_", " ");
}
