import { describe, expect, it } from "vitest";
import { incident } from "../testing/incidents";
import { PANEL_KEYS } from "../incident/panel_keys";
import { ACTION_KEYS, isPossible, nextAction, outcomesFor } from "./actions";

describe("actions", () => {
  it.each([
    ["checking", "acknowledge"],
    ["raised", "acknowledge"],
    ["acknowledged", "attend"],
    ["attended", "resolve"],
    ["resolved", null],
  ] as const)("after %s comes %s", (state, next) => {
    expect(nextAction(incident({ state }))).toBe(next);
  });

  it("offers no action that is kept already", () => {
    const kept = incident({ pending_action: "acknowledge" });
    expect(isPossible(kept, "acknowledge")).toBe(false);
    expect(isPossible(kept, "attend")).toBe(true);
    expect(nextAction(kept)).toBe("attend");
  });

  it("gives nobody what somebody has, but lets a colleague take it over", () => {
    const owner = { account_id: "mei", name: "Mei" };
    const taken = incident({ state: "acknowledged", owner });
    expect(isPossible(taken, "acknowledge", "lin")).toBe(false);
    expect(isPossible(taken, "take-over", "lin")).toBe(true);
    expect(isPossible(taken, "take-over", "mei")).toBe(false);
    expect(isPossible(taken, "release", "mei")).toBe(true);
    expect(isPossible(taken, "release", "lin")).toBe(false);
    expect(isPossible({ ...taken, pending_action: "take_over" }, "take-over", "lin")).toBe(false);
  });

  it("has a key of its own for each", () => {
    const keys = Object.values(ACTION_KEYS);
    expect(new Set(keys).size).toBe(keys.length);
    for (const panel of Object.values(PANEL_KEYS)) expect(keys).not.toContain(panel);
  });

  it("asks for technical outcomes of technical incidents", () => {
    expect(outcomesFor(incident({ category: "technical" }))).toContain("fixed");
    expect(outcomesFor(incident())).not.toContain("fixed");
  });
});
