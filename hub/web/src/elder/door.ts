// The hub's door for phones: messages go out by POST, commands come over one stream.

import { API_ROOT } from "../api/hub";
import { EventParser } from "../feed/server_sent";
import { either } from "../api/signals";
import { sleep_ms } from "../time/clock";
import { REDIAL_AFTER_MS, redialWait_ms } from "../feed/staleness";
import { authorization, type Setup } from "./setup";

const ANSWER_WITHIN_MS = 8_000;
/** With an alarm that waits nobody redials later than this (docs/contract.md). */
const LONGEST_WAIT_MS = 2_000;

export type Sent = "taken" | "refused" | "away";

export async function post(setup: Setup, kind: "press" | "status" | "location", body: string): Promise<Sent> {
  try {
    const answer = await fetch(`${API_ROOT}/phone/${kind}?prefix=${encodeURIComponent(setup.prefix)}`, {
      method: "POST",
      headers: { authorization: authorization(setup), "content-type": "application/json" },
      body,
      cache: "no-store",
      credentials: "omit",
      keepalive: true,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (answer.ok) return "taken";
    return answer.status === 401 ? "refused" : "away";
  } catch {
    return "away";
  }
}

export interface Ear {
  onHello(hello: { at?: string; hotline_number?: string }): void;
  onCommand(kind: string, body: unknown): void;
  /** Anything at all was heard. */
  onBeat(): void;
  onCut(why: "cut" | "refused"): void;
}

/** Keeps the stream up until `signal` aborts. */
export async function listen(setup: Setup, ear: Ear, signal: AbortSignal): Promise<void> {
  let attempt = 0;
  while (!signal.aborted) {
    const heard = (): void => {
      attempt = 0;
      ear.onBeat();
    };
    const why = await listenOnce(setup, { ...ear, onBeat: heard }, signal);
    if (signal.aborted) return;
    ear.onCut(why);
    await sleep_ms(Math.min(LONGEST_WAIT_MS, redialWait_ms(attempt, Math.random())), signal);
    attempt += 1;
  }
}

async function listenOnce(setup: Setup, ear: Ear, outer: AbortSignal): Promise<"cut" | "refused"> {
  const ours = new AbortController();
  const signal = either(outer, ours.signal);
  let watch = new AbortController();
  const watchAnew = (): void => {
    watch.abort();
    watch = new AbortController();
    const current = watch.signal;
    void sleep_ms(REDIAL_AFTER_MS, current).then(() => !current.aborted && ours.abort());
  };
  watchAnew();
  try {
    const answer = await fetch(`${API_ROOT}/phone/events`, {
      headers: { authorization: authorization(setup), accept: "text/event-stream" },
      cache: "no-store",
      credentials: "omit",
      signal,
    });
    if (answer.status === 401) return "refused";
    if (!answer.ok || answer.body === null) return "cut";
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    const parser = new EventParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return "cut";
      for (const event of parser.push(decoder.decode(value, { stream: true }))) {
        watchAnew();
        ear.onBeat();
        const body: unknown = JSON.parse(event.text);
        if (event.name === "hello") ear.onHello(body as { at?: string });
        if (event.name === "command") {
          const { kind, body: said } = body as { kind: string; body: unknown };
          ear.onCommand(kind, said);
        }
      }
    }
  } catch {
    return "cut";
  } finally {
    watch.abort();
    ours.abort();
  }
}
