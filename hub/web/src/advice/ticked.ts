// What was ticked off stands in the incident's record, as a note in plain words: every desk sees it,
// whoever takes over sees it, and so does whoever reads the record a year later.

import type { Language, TimelineEntry } from "../api/contract";
import type { Line } from "./advice";

const DONE = "☑ ";
const NOT_DONE = "☐ ";

export interface Tick {
  readonly done: boolean;
  /** Whose hand it was. */
  readonly by: string;
  readonly at: string;
}

/** The note that says so. */
export function tickNote(step: Line, done: boolean, language: Language): string {
  return (done ? DONE : NOT_DONE) + step[language];
}

/** The last word on each step, by its place; a desk in the other language counts as well. */
export function ticksIn(
  steps: readonly Line[],
  timeline: readonly TimelineEntry[],
): ReadonlyMap<number, Tick> {
  const ticks = new Map<number, Tick>();
  for (const entry of timeline) {
    const note = entry.action === "note" ? String(entry.detail?.["note"] ?? "") : "";
    const done = note.startsWith(DONE);
    if (!done && !note.startsWith(NOT_DONE)) continue;
    const text = note.slice(DONE.length);
    const place = steps.findIndex((step) => step.en === text || step["zh-CN"] === text);
    if (place >= 0) ticks.set(place, { done, by: entry.actor_name ?? "", at: entry.at });
  }
  return ticks;
}
