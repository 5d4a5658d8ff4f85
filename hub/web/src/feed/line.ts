import { API_ROOT } from "../api/hub";
import { either } from "../api/signals";
import { decodeEvent, type FeedEvent } from "./events";
import { EventParser } from "./server_sent";
import { REDIAL_AFTER_MS, redialWait_ms } from "./staleness";

/** What the line needs from the world; tests hand in their own. */
export interface Exchange {
  dial(url: string, init: RequestInit): Promise<Response>;
  sleep_ms(duration_ms: number, signal: AbortSignal): Promise<void>;
  chance(): number;
}

export interface LineListener {
  onConnected(): void;
  onEvents(events: readonly FeedEvent[]): void;
  /** `attempt` counts the dials since the last event. */
  onCut(attempt: number): void;
  onSignedOut(): void;
  lastEventId(): string | null;
}

type End = "cut" | "signed_out";

/** Keeps one connection to the live feed until `signal` aborts; redials with back-off for ever. */
export async function keepLine(
  listener: LineListener,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<void> {
  let attempt = 0;
  while (!signal.aborted) {
    const end = await listenOnce(
      { ...listener, onEvents: (events) => ((attempt = 0), listener.onEvents(events)) },
      exchange,
      signal,
    );
    if (signal.aborted) return;
    if (end === "signed_out") {
      listener.onSignedOut();
      return;
    }
    listener.onCut(attempt);
    await exchange.sleep_ms(redialWait_ms(attempt, exchange.chance()), signal);
    attempt += 1;
  }
}

async function listenOnce(
  listener: LineListener,
  exchange: Exchange,
  outer: AbortSignal,
): Promise<End> {
  const ours = new AbortController();
  const signal = either(outer, ours.signal);
  let watch = new AbortController();
  const restartWatch = (): void => {
    watch.abort();
    watch = new AbortController();
    const current = watch.signal;
    void exchange.sleep_ms(REDIAL_AFTER_MS, current).then(() => {
      if (!current.aborted) ours.abort();
    });
  };
  restartWatch();
  try {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    const last = listener.lastEventId();
    if (last !== null) headers["last-event-id"] = last;
    const response = await exchange.dial(`${API_ROOT}/events`, {
      headers,
      signal,
      cache: "no-store",
      credentials: "same-origin",
    });
    if (response.status === 401) return "signed_out";
    if (!response.ok || response.body === null) return "cut";
    listener.onConnected();
    await readEvents(response.body, listener, restartWatch);
  } catch {
    // Refused, reset, aborted by the watch, or unreadable: all are a cut line, and it is dialled again.
  } finally {
    watch.abort();
    ours.abort();
  }
  return "cut";
}

async function readEvents(
  body: ReadableStream<Uint8Array>,
  listener: LineListener,
  onHeard: () => void,
): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = parser
      .push(decoder.decode(value, { stream: true }))
      .map(decodeEvent)
      .filter((event) => event !== null);
    if (events.length === 0) continue;
    onHeard();
    listener.onEvents(events);
  }
}
