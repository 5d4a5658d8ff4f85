// Server-sent events, parsed here because EventSource can neither tell a 401 from a cut line nor
// let us choose the Last-Event-ID (https://html.spec.whatwg.org/multipage/server-sent-events.html).

export interface ServerSentEvent {
  /** The event's own id; null when it carries none (the line keeps the last one). */
  readonly id: string | null;
  readonly name: string;
  readonly text: string;
}

// A snapshot of some thousand incidents is a few MiB; more than this is not our hub.
const LONGEST_EVENT_CHARACTERS = 32 * 1024 * 1024;

const LINE_END = /\r\n|[\r\n]/g;

/** Turns text chunks, cut anywhere, into whole events. One parser per connection. */
export class EventParser {
  private rest = "";
  private id: string | null = null;
  private name = "";
  private lines: string[] = [];
  private length = 0;
  private swallowLineFeed = false;

  push(chunk: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    let text = chunk;
    if (this.swallowLineFeed && text !== "") {
      if (text.startsWith("\n")) text = text.slice(1);
      this.swallowLineFeed = false;
    }
    let start = 0;
    for (const found of text.matchAll(LINE_END)) {
      const event = this.line(this.rest + text.slice(start, found.index));
      if (event !== null) events.push(event);
      this.rest = "";
      start = found.index + found[0].length;
    }
    if (text.endsWith("\r")) this.swallowLineFeed = true;
    this.rest += text.slice(start);
    if (this.rest.length + this.length > LONGEST_EVENT_CHARACTERS) {
      throw new RangeError("an event of the feed is too long");
    }
    return events;
  }

  private line(line: string): ServerSentEvent | null {
    if (line === "") return this.dispatch();
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    let value = colon === -1 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "data") {
      this.lines.push(value);
      this.length += value.length;
    } else if (field === "event") this.name = value;
    else if (field === "id" && !value.includes("\0")) this.id = value;
    return null;
  }

  private dispatch(): ServerSentEvent | null {
    const event =
      this.lines.length === 0
        ? null
        : { id: this.id, name: this.name || "message", text: this.lines.join("\n") };
    this.id = null;
    this.name = "";
    this.lines = [];
    this.length = 0;
    return event;
  }
}
