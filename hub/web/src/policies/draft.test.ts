import { describe, expect, it } from "vitest";
import { nextSundayAtThree_ms, toggled, withWho } from "./draft";

describe("a target", () => {
  it("is told in the only way there is", () => {
    expect(withWho({ who: "family:1", channels: ["sms", "voice"] }, "dispatchers").channels).toEqual(["desk"]);
    expect(withWho({ who: "dispatchers", channels: ["desk"] }, "family:1").channels).toEqual(["sms"]);
    expect(withWho({ who: "family:1", channels: ["voice"] }, "nearest").channels).toEqual(["voice"]);
  });

  it("keeps one way at least, in the order ticked", () => {
    const target = { who: "family", channels: ["voice" as const] };
    expect(toggled(target, "voice").channels).toEqual(["voice"]);
    expect(toggled(target, "sms").channels).toEqual(["voice", "sms"]);
  });
});

it.each([
  [new Date(2026, 2, 1, 2, 59), new Date(2026, 2, 1, 3)],
  [new Date(2026, 2, 1, 3, 0), new Date(2026, 2, 8, 3)],
  [new Date(2026, 2, 4, 12), new Date(2026, 2, 8, 3)],
])("after %s the next Sunday night is %s", (now, then) => {
  expect(nextSundayAtThree_ms(now.getTime())).toBe(then.getTime());
});
