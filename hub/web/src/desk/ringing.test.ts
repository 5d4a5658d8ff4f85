import { describe, expect, it } from "vitest";
import type { Incident } from "../api/contract";
import { EMPTY_FEED, type Bell, type FeedState } from "../feed/state";
import { incident } from "../testing/incidents";
import { AGAIN_RINGS_FOR_MS, flashes, isMuted, MUTE_FOR_MS, whatRings } from "./ringing";

const NOBODY: ReadonlySet<string> = new Set();

function feed(incidents: Incident[], bells: [string, Bell][] = []): FeedState {
  const byId = new Map(incidents.map((each) => [each.id, each]));
  return { ...EMPTY_FEED, incidents: byId, bells: new Map(bells) };
}

function priority(one: Incident, bell?: Bell): string | null {
  return whatRings(feed([one], bell ? [[one.id, bell]] : []), NOBODY, 1_000).priority;
}

describe("whatRings", () => {
  it.each([
    ["raised", "high"],
    ["checking", null],
    ["acknowledged", null],
    ["attended", null],
    ["resolved", null],
  ] as const)("%s: %s", (state, expected) => {
    expect(priority(incident({ state }))).toBe(expected);
  });

  it("rings for a provisional incident", () => {
    expect(priority(incident({ provisional: true }))).toBe("high");
  });

  it("plays the most urgent tone and names everything that rings", () => {
    const ringing = whatRings(
      feed([
        incident({ id: "a", priority: "low" }),
        incident({ id: "b", priority: "medium" }),
        incident({ id: "c", state: "attended" }),
      ]),
      NOBODY,
      0,
    );
    expect(ringing.priority).toBe("medium");
    expect([...ringing.ids]).toEqual(["a", "b"]);
  });

  it("stops for an action that is kept or under way", () => {
    expect(priority(incident({ pending_action: "acknowledge" }))).toBeNull();
    const sending = new Set(["incident-1"]);
    expect(whatRings(feed([incident()]), sending, 0).priority).toBeNull();
  });

  it("rings a while for a press that comes while an acknowledgement is kept", () => {
    const kept = incident({ pending_action: "acknowledge", alarm_count: 2 });
    const bell = { at_ms: 1_000, times: 2, answered: false };
    expect(priority(kept, bell)).toBe("high");
    expect(priority(kept, { ...bell, answered: true })).toBeNull();
    expect(priority(kept, { ...bell, at_ms: 1_000 - AGAIN_RINGS_FOR_MS })).toBeNull();
  });
});

describe("isMuted", () => {
  const mute = { from_ms: 1_000, until_ms: 1_000 + MUTE_FOR_MS };

  it("ends by itself", () => {
    expect(isMuted(mute, 0, 1_000)).toBe(true);
    expect(isMuted(mute, 0, 1_000 + MUTE_FOR_MS)).toBe(false);
    expect(isMuted(null, 0, 1_000)).toBe(false);
  });

  it("ends at once when something new rings", () => {
    expect(isMuted(mute, 1_001, 1_002)).toBe(false);
  });
});

it("flashes for what rang just now, not for what is scrolled to later", () => {
  const bell = { at_ms: 1_000, times: 1, answered: false };
  expect(flashes(bell, 1_100)).toBe(true);
  expect(flashes(bell, 60_000)).toBe(false);
  expect(flashes(undefined, 1_000)).toBe(false);
});
