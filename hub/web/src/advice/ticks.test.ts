import { beforeEach, expect, it, vi } from "vitest";
import type { Incident } from "../api/contract";

vi.mock("../api/hub", () => ({ act: vi.fn(async () => ({})) }));
vi.mock("../desk/desk.svelte", () => ({ desk: { takeAnswer: vi.fn(), leave: vi.fn() } }));

const { ticks } = await import("./ticks.svelte");
const incident = { id: "one" } as Incident;
const [EARLIER, LATER] = ["2026-03-02T08:00:00Z", "2026-03-02T08:00:05Z"];

beforeEach(() => ticks.recorded("one", 0, "never"));

it("is shown at once and believed once it is recorded", async () => {
  await ticks.say(incident, 0, { done: true, after: EARLIER }, "☑ Call");
  ticks.recorded("one", 0, EARLIER);
  expect(ticks.under_way("one", 0)).toBe(true);
  ticks.recorded("one", 0, LATER);
  expect(ticks.under_way("one", 0)).toBeUndefined();
});

it("gives way when another desk took it back before this one read its own", async () => {
  await ticks.say(incident, 0, { done: true, after: null }, "☑ Call");
  ticks.recorded("one", 0, LATER);
  expect(ticks.under_way("one", 0)).toBeUndefined();
});
