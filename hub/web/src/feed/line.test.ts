import { describe, expect, it } from "vitest";
import type { FeedEvent } from "./events";
import { keepLine, type Exchange, type LineListener } from "./line";
import { REDIAL_AFTER_MS } from "./staleness";

const STATS = 'id: a-7\nevent: stats\ndata: {"at":"2026-03-01T00:00:00Z"}\n\n';

/** One hand-moved exchange: answers in order, waits that end only when the test says so. */
class Switchboard implements Exchange {
  readonly dialled: Headers[] = [];
  readonly waits: { duration_ms: number; end: () => void; signal: AbortSignal }[] = [];

  constructor(private readonly answers: ((signal: AbortSignal) => Promise<Response>)[]) {}

  dial(_url: string, init: RequestInit): Promise<Response> {
    this.dialled.push(new Headers(init.headers));
    const answer = this.answers.shift();
    const signal = init.signal as AbortSignal;
    return answer === undefined ? never(signal) : answer(signal);
  }

  sleep_ms(duration_ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.waits.push({ duration_ms, end: resolve, signal });
      signal.addEventListener("abort", () => resolve());
    });
  }

  chance(): number {
    return 1;
  }
}

function never(signal: AbortSignal): Promise<Response> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

const refused = (): Promise<Response> => Promise.reject(new TypeError("refused"));
const closing = (text: string) => (): Promise<Response> => Promise.resolve(new Response(text));

function silent(signal: AbortSignal): Promise<Response> {
  const body = new ReadableStream({
    start: (controller) => signal.addEventListener("abort", () => controller.error(signal.reason)),
  });
  return Promise.resolve(new Response(body));
}

class Log implements LineListener {
  readonly told: string[] = [];
  last: string | null = null;
  onConnected = (): void => void this.told.push("connected");
  onCut = (attempt: number): void => void this.told.push(`cut ${attempt}`);
  onSignedOut = (): void => void this.told.push("signed out");
  onEvents = (events: readonly FeedEvent[]): void => {
    this.told.push(...events.map((event) => event.name));
    this.last = events.at(-1)?.id ?? this.last;
  };
  lastEventId = (): string | null => this.last;
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe("keepLine", () => {
  it("redials with back-off, from where it was", async () => {
    const board = new Switchboard([closing(STATS), refused, refused]);
    const log = new Log();
    const stop = new AbortController();
    const line = keepLine(log, board, stop.signal);
    const backOffs: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      await settle();
      const wait = board.waits.at(-1);
      backOffs.push(wait?.duration_ms ?? 0);
      wait?.end();
    }
    await settle();
    stop.abort();
    await line;
    expect(log.told).toEqual(["connected", "stats", "cut 0", "cut 1", "cut 2"]);
    expect(backOffs).toEqual([500, 1000, 2000]);
    expect(board.dialled.map((headers) => headers.get("last-event-id"))).toEqual([
      null,
      "a-7",
      "a-7",
      "a-7",
    ]);
  });

  it("drops a connection that says nothing", async () => {
    const board = new Switchboard([silent]);
    const log = new Log();
    const stop = new AbortController();
    const line = keepLine(log, board, stop.signal);
    await settle();
    expect(board.waits[0]?.duration_ms).toBe(REDIAL_AFTER_MS);
    board.waits[0]?.end();
    await settle();
    expect(log.told).toEqual(["connected", "cut 0"]);
    stop.abort();
    await line;
  });

  it("treats text that is no feed as a cut line", async () => {
    const board = new Switchboard([closing("event: stats\ndata: {broken\n\n")]);
    const log = new Log();
    const stop = new AbortController();
    const line = keepLine(log, board, stop.signal);
    await settle();
    expect(log.told).toEqual(["connected", "cut 0"]);
    stop.abort();
    await line;
  });

  it("ends when the log-in has ended", async () => {
    const board = new Switchboard([() => Promise.resolve(new Response(null, { status: 401 }))]);
    const log = new Log();
    await keepLine(log, board, new AbortController().signal);
    expect(log.told).toEqual(["signed out"]);
  });
});
