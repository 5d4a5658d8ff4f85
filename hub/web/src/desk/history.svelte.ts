// The whole record of the chosen incident: its timeline, and itself when the feed no longer has it.

import type { IncidentDetail } from "../api/contract";
import * as hub from "../api/hub";
import { Problem } from "../api/problem";
import { sleep_ms } from "../time/clock";
import { desk } from "./desk.svelte";

// Several events of one press arrive together; one look-up serves them all.
const GATHER_MS = 100;
const RETRY_MS = 3_000;
// What became of a message is no event of the incident: whoever waits for it looks again, twice,
// since each look is logged.
const RECEIPTS_AFTER_MS = [4_000, 12_000];

export type HistoryState = "idle" | "loading" | "ready" | "failed" | "missing";

class History {
  state = $state<HistoryState>("idle");
  record = $state.raw<IncidentDetail | null>(null);
  private current: AbortController | null = null;

  /** Reads `id` now, and again every few seconds while that fails. Call on every change of it. */
  follow(id: string | null): void {
    this.current?.abort();
    if (this.record?.id !== id) {
      this.record = null;
      this.state = id === null ? "idle" : "loading";
    }
    if (id === null) return;
    this.current = new AbortController();
    void this.read(id, this.current.signal);
  }

  private async read(id: string, signal: AbortSignal): Promise<void> {
    if (this.record !== null) await sleep_ms(GATHER_MS, signal);
    while (!signal.aborted) {
      try {
        const record = await hub.readIncident(id, signal);
        if (signal.aborted) return;
        this.record = record;
        this.state = "ready";
        return await this.waitForReceipts(id, signal);
      } catch (error) {
        if (signal.aborted) return;
        const status = error instanceof Problem ? error.status : 0;
        if (status === 401) return desk.leave("login.signed_out");
        // A provisional incident is not in the database yet: missing for now, so it is tried again.
        this.state = status === 404 && desk.feed.known && !desk.feed.incidents.has(id)
          ? "missing"
          : "failed";
        await sleep_ms(RETRY_MS, signal);
      }
    }
  }

  /** Somebody was told just now: whether it reached them is said a moment later. */
  private async waitForReceipts(id: string, signal: AbortSignal): Promise<void> {
    for (const later_ms of RECEIPTS_AFTER_MS) {
      if (!this.record?.responders.some((each) => each.answer === "told")) return;
      await sleep_ms(later_ms, signal);
      if (signal.aborted) return;
      try {
        const record = await hub.readIncident(id, signal);
        if (!signal.aborted) this.record = record;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        return;
      }
    }
  }
}

export const history_of_chosen = new History();
