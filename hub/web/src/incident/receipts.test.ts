import { expect, it } from "vitest";
import type { TimelineEntry } from "../api/contract";
import { isUnreached, receiptsOf } from "./receipts";

const LI = "contact:li";

function sent(channel: string, reason: string, recipient = LI): TimelineEntry {
  return { action: "send", reason, detail: { channel, recipient } } as unknown as TimelineEntry;
}

it("says the last word of each way, and only of that recipient", () => {
  const timeline = [
    sent("push", "sending"),
    sent("sms", "sent"),
    sent("push", "unreachable"),
    sent("voice", "answered", "contact:wang"),
    { action: "escalate", detail: { told: [LI] } } as unknown as TimelineEntry,
  ];
  expect(receiptsOf(timeline, LI)).toEqual([
    { channel: "push", became: "unreachable" },
    { channel: "sms", became: "sent" },
  ]);
});

it("calls somebody unreached only when no way is left", () => {
  expect(isUnreached(receiptsOf([sent("push", "unreachable"), sent("sms", "failed")], LI))).toBe(true);
  expect(isUnreached(receiptsOf([sent("push", "unreachable"), sent("sms", "sent")], LI))).toBe(false);
  expect(isUnreached(receiptsOf([sent("push", "delayed")], LI))).toBe(false);
  expect(isUnreached([])).toBe(false);
});
