import { describe, expect, it } from "vitest";
import { dueNow, hear, keep, KEPT_MS, newPress, readQuestion, readReceipt, reconnected, taken, tried } from "./presses";

const NOW_MS = Date.parse("2026-03-02T06:41:09Z");
const PLACE = { latitude: 31.2, longitude: 121.4, accuracy_m: 12, fixed_at_ms: NOW_MS - 1_000 };
const press = newPress("emergency", "m-1", NOW_MS, PLACE);

function receipt(stage: string, more: object = {}): NonNullable<ReturnType<typeof readReceipt>> {
  const read = readReceipt({ stage, text: stage, message_id: "m-1", ...more });
  if (read === null) throw new Error("unreadable");
  return read;
}

describe("a press", () => {
  it("carries a fresh position, and none that is old", () => {
    expect(JSON.parse(press.body).position.latitude).toBe(31.2);
    const old = newPress("emergency", "m", NOW_MS, { ...PLACE, fixed_at_ms: NOW_MS - 600_000 });
    expect(JSON.parse(old.body)).not.toHaveProperty("position");
  });

  it("is repeated with the same bytes after 2, 4, 8 and then every 15 s until it is received", () => {
    let at_ms = NOW_MS;
    let held = press;
    const waits: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      expect(dueNow([held], at_ms)).toHaveLength(1);
      held = taken(tried(held, at_ms));
      waits.push((held.due_ms - at_ms) / 1000);
      expect(dueNow([held], held.due_ms - 1)).toHaveLength(0);
      at_ms = held.due_ms;
    }
    expect(waits).toEqual([2, 4, 8, 15, 15, 15]);
    expect(held.body).toBe(press.body);
    expect(dueNow(hear([held], receipt("heard")).all, at_ms)).toHaveLength(1);
    expect(dueNow(hear([held], receipt("received")).all, at_ms)).toHaveLength(0);
  });

  it("moves forward only, and says when nothing is new", () => {
    const coming = hear([press], receipt("coming", { text: "Mei comes" }));
    expect(coming.moved?.text).toBe("Mei comes");
    expect(hear(coming.all, receipt("received")).moved).toBeNull();
    expect(hear(coming.all, receipt("coming", { text: "Mei comes" })).moved).toBeNull();
    expect(hear(coming.all, receipt("over")).moved?.stage).toBe("over");
  });

  it("is the last one where a receipt names none; another device's receipt moves nothing", () => {
    const later = newPress("emergency", "m-2", NOW_MS + 1, null);
    expect(hear([press, later], receipt("received", { message_id: undefined })).moved?.message_id).toBe("m-2");
    expect(hear([press], receipt("received", { message_id: "elsewhere" })).moved).toBeNull();
  });

  it("is sent again after a reconnect until it is over, and forgotten after a day", () => {
    const { all } = hear([press], receipt("coming"));
    expect(reconnected(all, NOW_MS + 9_000).again).toHaveLength(1);
    expect(reconnected(hear(all, receipt("over")).all, NOW_MS + 9_000).again).toHaveLength(0);
    expect(keep(all, NOW_MS + KEPT_MS)).toHaveLength(0);
  });
});

it("a question long past its time is not shown", () => {
  const asked = { check_in_id: "i-1", text: "Are you well?", answer_within_s: 60, at: new Date(NOW_MS).toISOString() };
  expect(readQuestion(asked, NOW_MS)?.until_ms).toBe(NOW_MS + 60_000);
  expect(readQuestion(asked, NOW_MS + 600_000)).toBeNull();
  expect(readQuestion("noise", NOW_MS)).toBeNull();
});
