// Something read from the hub for a view: not yet, there, or why not. One look at a time.

import { untrack } from "svelte";
import { desk } from "../desk/desk.svelte";
import { afterFrame } from "../time/clock";
import { Problem } from "./problem";

export type ReadingState = "loading" | "ready" | "failed";

export class Reading<Value> {
  value = $state.raw<Value | null>(null);
  problem = $state.raw<Problem | null>(null);
  private current: AbortController | null = null;

  get state(): ReadingState {
    if (this.value !== null) return "ready";
    return this.problem === null ? "loading" : "failed";
  }

  /** Asks; an older question that is still under way is forgotten. What was read before stays until
   * the new answer is there, unless `anew`; so does why nothing was read: who reads or holds the
   * button that asks again keeps it. */
  async read(question: (signal: AbortSignal) => Promise<Value>, anew = false): Promise<void> {
    this.current?.abort();
    const mine = new AbortController();
    this.current = mine;
    // Whoever asks in an effect asks again for what it names, not for what is answered.
    if (anew && untrack(() => this.value !== null)) this.value = this.problem = null;
    // Whoever steps through a list sees first where they are; what they only pass is not asked for.
    await afterFrame();
    if (mine.signal.aborted) return;
    try {
      const value = await question(mine.signal);
      if (mine.signal.aborted) return;
      this.value = value;
      this.problem = null;
    } catch (error) {
      if (mine.signal.aborted) return;
      this.problem = told(error);
    }
  }

  stop(): void {
    this.current?.abort();
  }
}

/** A change under way: what it is doing, and why it failed. */
export class Change {
  under_way = $state(false);
  problem = $state.raw<Problem | null>(null);

  /** The answer; undefined where it failed or one was under way already. */
  async make<Value>(change: () => Promise<Value>): Promise<Value | undefined> {
    if (this.under_way) return undefined;
    this.under_way = true;
    this.problem = null;
    try {
      return await change();
    } catch (error) {
      this.problem = told(error);
      return undefined;
    } finally {
      this.under_way = false;
    }
  }
}

/** A problem to be shown; a log-in that ended is not shown but answered. */
function told(error: unknown): Problem {
  if (!(error instanceof Problem)) throw error;
  if (error.status === 401) desk.leave("login.signed_out");
  return error;
}
