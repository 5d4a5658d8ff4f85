import { describe, expect, it } from "vitest";
import { EventParser } from "./server_sent";

const TEXT = 'id: a-1\nevent: incident\ndata: {"x":\ndata: 1}\n\n: keep alive\n\ndata:plain\n\n';
const EVENTS = [
  { id: "a-1", name: "incident", text: '{"x":\n1}' },
  { id: null, name: "message", text: "plain" },
];

describe("EventParser", () => {
  it.each(["\n", "\r\n", "\r"])("reads whole events with line end %j", (end) => {
    expect(new EventParser().push(TEXT.replaceAll("\n", end))).toEqual(EVENTS);
  });

  it.each(["\n", "\r\n", "\r"])("gives the same however the text is cut (line end %j)", (end) => {
    const text = TEXT.replaceAll("\n", end);
    for (let cut = 0; cut <= text.length; cut += 1) {
      const parser = new EventParser();
      const events = [...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))];
      expect(events).toEqual(EVENTS);
    }
    const parser = new EventParser();
    expect([...text].flatMap((character) => parser.push(character))).toEqual(EVENTS);
  });

  it("says nothing of an event that is not finished", () => {
    expect(new EventParser().push("event: stats\ndata: 1\n")).toEqual([]);
  });

  it("refuses an event without end", () => {
    const parser = new EventParser();
    const much = "x".repeat(20 * 1024 * 1024);
    parser.push(`data: ${much}`);
    expect(() => parser.push(much)).toThrow(RangeError);
  });
});
