import { describe, expect, it } from "vitest";
import type { IncidentState, Priority } from "../api/contract";
import { incident, T0_MS } from "../testing/incidents";
import { countAtHomes, orderQueue, Ordering, stepThrough } from "./queue";

function at(id: string, state: IncidentState, priority: Priority, minute: number) {
  const opened_at = new Date(T0_MS + minute * 60_000).toISOString();
  return incident({ id, state, priority, opened_at });
}

const INCIDENTS = [
  at("attended", "attended", "high", 0),
  at("low-old", "raised", "low", 1),
  at("high-new", "raised", "high", 9),
  at("high-old", "raised", "high", 2),
  at("asked", "checking", "high", 0),
  at("medium", "raised", "medium", 0),
  at("taken", "acknowledged", "high", 0),
  at("over", "resolved", "high", 0),
];

const ids = (queue: ReturnType<typeof orderQueue>): string[] =>
  queue.flatMap((part) => part.incidents.map((each) => each.id));

describe("orderQueue", () => {
  it("puts the unacknowledged first, then priority, then age", () => {
    const queue = orderQueue(INCIDENTS);
    expect(queue.map((part) => part.group)).toEqual([
      "waiting",
      "checking",
      "acknowledged",
      "attended",
    ]);
    expect(ids(queue)).toEqual([
      "high-old",
      "high-new",
      "medium",
      "low-old",
      "asked",
      "taken",
      "attended",
    ]);
  });

  it("does not depend on the order of arrival", () => {
    expect(ids(orderQueue([...INCIDENTS].reverse()))).toEqual(ids(orderQueue(INCIDENTS)));
  });
});

describe("several at one address", () => {
  const home = (id: string) => ({
    id,
    address: id,
    access_notes: null,
    latitude: null,
    longitude: null,
    time_zone: null,
    phone: null,
  });
  const here = (id: string, priority: Priority, minute: number, premises: string | null) => ({
    ...at(id, "raised", priority, minute),
    premises: premises === null ? null : home(premises),
  });
  const incidents = [
    here("smoke", "high", 5, "home-1"),
    here("press", "high", 1, "home-2"),
    here("battery", "low", 0, "home-1"),
    here("stranger", "medium", 0, null),
    here("other", "medium", 9, null),
    { ...here("taken", "high", 0, "home-2"), state: "acknowledged" as const },
  ];

  it("stand together behind the most urgent one", () => {
    expect(ids(orderQueue(incidents))).toEqual([
      "press",
      "smoke",
      "battery",
      "stranger",
      "other",
      "taken",
    ]);
  });

  it("are counted whoever has them", () => {
    expect([...countAtHomes(orderQueue(incidents))]).toEqual([
      ["home-2", 2],
      ["home-1", 2],
    ]);
  });
});

describe("stepThrough", () => {
  const queue = orderQueue(INCIDENTS);

  it.each([
    [null, 1, "high-old"],
    ["gone", -1, "high-old"],
    ["low-old", 1, "asked"],
    ["asked", -1, "low-old"],
    ["high-old", -1, "high-old"],
    ["attended", 1, "attended"],
  ] as const)("from %j by %d", (chosen, by, next) => {
    expect(stepThrough(queue, chosen, by)).toBe(next);
  });

  it("keeps the choice when the queue is empty", () => {
    expect(stepThrough([], "over", 1)).toBe("over");
    expect(stepThrough([], null, 1)).toBeNull();
  });
});

describe("Ordering", () => {
  const held = new Map(INCIDENTS.map((each) => [each.id, each]));

  it("says what sorting everything anew would say, whatever changes", () => {
    const ordering = new Ordering();
    ordering.of(held);
    const changes = [
      { ...at("medium", "raised", "medium", 0), alarm_count: 5 },
      at("medium", "raised", "high", 0),
      at("low-old", "acknowledged", "low", 1),
      at("taken", "resolved", "high", 0),
      at("another", "raised", "medium", 30),
    ];
    let now = new Map(held);
    for (const change of changes) {
      now = new Map(now).set(change.id, change);
      expect(ordering.of(now).groups).toEqual(orderQueue(now.values()));
    }
    now = new Map([...now].filter(([id]) => id !== "high-old"));
    expect(ordering.of(now).groups).toEqual(orderQueue(now.values()));
  });

  it("leaves the groups in which nothing changed as they are", () => {
    const ordering = new Ordering();
    const before = ordering.of(held);
    const pressed = { ...at("medium", "raised", "medium", 0), alarm_count: 2 };
    const after = ordering.of(new Map(held).set("medium", pressed));
    expect(after.groups[0]?.incidents).toContain(pressed);
    expect(after.groups.slice(1)).toEqual(before.groups.slice(1));
    expect(after.groups[1]).toBe(before.groups[1]);
    expect(after.crowded).toBe(before.crowded);
  });
});
