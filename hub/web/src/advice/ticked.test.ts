import { expect, it } from "vitest";
import type { TimelineEntry } from "../api/contract";
import { TOPICS, type Line } from "./advice";
import { tickNote, ticksIn } from "./ticked";

const STEPS = TOPICS.press.steps;
const [first, second] = STEPS as readonly Line[] as [Line, Line];

function noted(note: string, actor_name = "Mei"): TimelineEntry {
  return { at: "2026-03-01T19:12:00Z", action: "note", actor: "account:mei", actor_name, reason: null, detail: { note } };
}

it("reads its own notes, whichever language they were written in", () => {
  const ticks = ticksIn(STEPS, [noted(tickNote(first, true, "zh-CN")), noted(tickNote(second, true, "en"), "Lin")]);
  expect([...ticks.keys()]).toEqual([0, 1]);
  expect(ticks.get(1)).toMatchObject({ done: true, by: "Lin" });
});

it("believes the last word", () => {
  const ticks = ticksIn(STEPS, [noted(tickNote(first, true, "en")), noted(tickNote(first, false, "zh-CN"))]);
  expect(ticks.get(0)?.done).toBe(false);
});

it("takes no other note for a tick", () => {
  expect(ticksIn(STEPS, [noted("The neighbour has a dog"), noted(first.en), noted("☑ something else")]).size).toBe(0);
});
