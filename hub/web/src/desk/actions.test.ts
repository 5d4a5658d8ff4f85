import { describe, expect, it } from "vitest";
import { incident } from "../testing/incidents";
import { isPossible, nextAction, outcomesFor } from "./actions";

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

  it("asks for technical outcomes of technical incidents", () => {
    expect(outcomesFor(incident({ category: "technical" }))).toContain("fixed");
    expect(outcomesFor(incident())).not.toContain("fixed");
  });
});
