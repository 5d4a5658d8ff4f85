import { describe, expect, it } from "vitest";
import type { Incident, Stats } from "../api/contract";
import { incident, T0, T0_MS } from "../testing/incidents";
import type { FeedEvent } from "./events";
import {
  EMPTY_FEED,
  feedPosition,
  followMerges,
  reduceFeed,
  takeAnswer,
  type FeedState,
} from "./state";

const STATS: Stats = {
  at: T0,
  messages_per_s: 5,
  open_incidents: 0,
  oldest_unacknowledged_s: null,
  devices_online: 1,
  devices_total: 2,
  database: "ok",
  broker: "ok",
  ingest: "ok",
};

function snapshot(incidents: Incident[], id = "a-0"): FeedEvent {
  return { name: "snapshot", id, body: { epoch: "a", incidents, stats: STATS } };
}

function change(id: string, subject: Incident, cause: string, merged_into?: string): FeedEvent {
  const body = { incident: subject, cause, alarm: null };
  return { name: "incident", id, body: merged_into ? { ...body, merged_into } : body };
}

function after(...events: FeedEvent[]): FeedState {
  return reduceFeed(EMPTY_FEED, events, T0_MS);
}

describe("snapshot", () => {
  it("makes the list known, even when it is empty", () => {
    expect(EMPTY_FEED.known).toBe(false);
    expect(after(snapshot([])).known).toBe(true);
  });

  it("replaces what was known before", () => {
    const state = after(snapshot([incident()]), snapshot([incident({ id: "other" })], "b-0"));
    expect([...state.incidents.keys()]).toEqual(["other"]);
    expect([...state.bells.keys()]).toEqual(["other"]);
    expect(state.last_event_id).toBe("b-0");
  });

  it("rings what was raised while the line was cut, and only that", () => {
    const before = after(snapshot([incident()]));
    const later = reduceFeed(before, [snapshot([incident(), incident({ id: "new" })])], T0_MS + 9);
    expect(later.rung_id).toBe("new");
    expect(later.rung_at_ms).toBe(T0_MS + 9);
    expect(later.bells.get("incident-1")?.at_ms).toBe(T0_MS);
  });

  it("rings a second press that came while the line was cut", () => {
    const before = after(snapshot([incident()]));
    const later = reduceFeed(before, [snapshot([incident({ alarm_count: 2 })])], T0_MS + 9);
    expect(later.bells.get("incident-1")?.times).toBe(2);
  });

  it("keeps quiet about incidents that somebody has", () => {
    expect(after(snapshot([incident({ state: "acknowledged" })])).rung_id).toBeNull();
  });
});

describe("incident", () => {
  it("adds and rings a new one", () => {
    const state = after(snapshot([]), change("a-1", incident({ provisional: true }), "raised"));
    expect(state.incidents.size).toBe(1);
    expect(state.rung_id).toBe("incident-1");
    expect(state.last_event_id).toBe("a-1");
  });

  it("rings again on a second press and counts", () => {
    const again = incident({ alarm_count: 2, revision: 2 });
    const state = after(
      snapshot([]),
      change("a-1", incident(), "raised"),
      change("a-2", again, "realarmed"),
    );
    expect(state.bells.get("incident-1")).toMatchObject({ times: 2, answered: false });
  });

  it("rings when responsibility lapses, whatever the cause is called", () => {
    const taken = incident({ state: "acknowledged" });
    const state = after(snapshot([taken]), change("a-1", incident({ revision: 3 }), "escalated"));
    expect(state.rung_id).toBe("incident-1");
  });

  it("does not ring for an escalation of what rings already, nor for its commit", () => {
    const before = after(snapshot([incident({ provisional: true })]));
    for (const cause of ["escalated", "committed", "refreshed"] as const) {
      const next = reduceFeed(before, [change("a-1", incident({ step: 2 }), cause)], T0_MS + 50);
      expect(next.rung_at_ms).toBe(T0_MS);
    }
  });

  it("does not ring while the person is being asked", () => {
    const asked = incident({ state: "checking" });
    expect(after(snapshot([]), change("a-1", asked, "raised")).rung_id).toBeNull();
  });

  it("notes the answer of a human", () => {
    for (const cause of ["acknowledged", "attended", "pending"] as const) {
      const state = after(snapshot([incident()]), change("a-1", incident(), cause));
      expect(state.bells.get("incident-1")?.answered).toBe(true);
    }
  });

  it("shows an event that is sent again once", () => {
    const second = change("a-2", incident({ alarm_count: 2 }), "realarmed");
    const state = after(snapshot([incident()]), second);
    expect(reduceFeed(state, [second], T0_MS)).toEqual(state);
    expect(reduceFeed(state, [change("a-1", incident(), "raised")], T0_MS)).toEqual(state);
  });

  it("believes a feed that starts counting anew", () => {
    const state = after(snapshot([incident()], "a-9"), change("b-1", incident(), "realarmed"));
    expect(state.bells.get("incident-1")?.times).toBe(2);
  });

  it("keeps a resolved one readable without its bell", () => {
    const over = incident({ state: "resolved", resolved_at: T0 });
    const state = after(snapshot([incident()]), change("a-1", over, "resolved"));
    expect(state.incidents.get("incident-1")?.state).toBe("resolved");
    expect(state.bells.size).toBe(0);
  });

  it("forgets all but the newest resolved ones", () => {
    let state = after(snapshot([]));
    for (let n = 1; n <= 80; n += 1) {
      const resolved_at = new Date(T0_MS + n).toISOString();
      const over = incident({ id: `i-${n}`, state: "resolved", resolved_at });
      state = reduceFeed(state, [change(`a-${n}`, over, "resolved")], T0_MS);
    }
    expect(state.incidents.size).toBe(50);
    expect(state.incidents.has("i-80")).toBe(true);
    expect(state.incidents.has("i-1")).toBe(false);
  });
});

describe("merged", () => {
  it("removes the one that vanished and remembers where it went", () => {
    const state = after(
      snapshot([incident(), incident({ id: "b" }), incident({ id: "c" })]),
      change("a-1", incident(), "merged", "b"),
      change("a-2", incident({ id: "b" }), "merged", "c"),
    );
    expect([...state.incidents.keys()]).toEqual(["c"]);
    expect(followMerges(state, "incident-1")).toBe("c");
    expect(followMerges(state, "c")).toBe("c");
  });

  it("ends even if two merges point at each other", () => {
    const merged_into = new Map([
      ["a", "b"],
      ["b", "a"],
    ]);
    expect(["a", "b"]).toContain(followMerges({ ...EMPTY_FEED, merged_into }, "a"));
  });
});

describe("stats", () => {
  it("measures how far the hub's clock is ahead of the desk's", () => {
    const body = { ...STATS, at: new Date(T0_MS + 90_000).toISOString() };
    const state = reduceFeed(EMPTY_FEED, [{ name: "stats", id: null, body }], T0_MS);
    expect(state.hub_ahead_ms).toBe(90_000);
    expect(state.known).toBe(false);
  });

  it("keeps the place in the feed when it carries no id", () => {
    const state = after(snapshot([], "a-4"), { name: "stats", id: null, body: STATS });
    expect(state.last_event_id).toBe("a-4");
  });
});

describe("the answer to an own action", () => {
  it("counts unless the feed has brought something newer", () => {
    const state = after(snapshot([incident({ revision: 5, state: "attended" })]));
    const old = incident({ revision: 4, state: "acknowledged" });
    expect(takeAnswer(state, old)).toBe(state);
    const now = incident({ revision: 5, state: "attended", pending_action: "resolve" });
    expect(takeAnswer(state, now).incidents.get("incident-1")).toBe(now);
  });
});

it.each([
  ["a-1", { epoch: "a", number: 1 }],
  ["2026-03-01-17", { epoch: "2026-03-01", number: 17 }],
  ["nonsense", null],
  [null, null],
])("feedPosition(%j)", (id, position) => {
  expect(feedPosition(id)).toEqual(position);
});
