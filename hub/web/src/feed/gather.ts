// Events that come close together are taken together: a page that draws once for each of fifty
// events a second has no time left for its dispatcher.

import { frameAfter, steady_ms } from "../time/clock";

/** While events keep coming the page is drawn anew no more often than this. Ours: a list of figures
 * that changes ten times a second is as live as an eye can follow. The first one shows at once. */
export const EVERY_MS = 100;

/** What draws, and its clock. */
export interface Frames {
  readonly hidden: boolean;
  now_ms(): number;
  /** Before the first frame that is `wait_ms` away or more. */
  next(wait_ms: number, then: () => void): void;
}

export class Gather<Item> {
  private waiting: Item[] = [];
  private asked = false;
  private taken_at_ms = -Infinity;

  constructor(
    private readonly take: (items: readonly Item[]) => void,
    private readonly frames: Frames,
  ) {}

  add(items: readonly Item[]): void {
    this.waiting.push(...items);
    // A page that is not seen draws no frames, and must ring all the same.
    if (this.frames.hidden) return this.flush();
    if (this.asked) return;
    this.asked = true;
    this.frames.next(this.taken_at_ms + EVERY_MS - this.frames.now_ms(), () => {
      this.asked = false;
      this.flush();
    });
  }

  /** Takes what waits, now: also called four times a second, for pages whose frames are held back. */
  flush(): void {
    if (this.waiting.length === 0) return;
    const items = this.waiting;
    this.waiting = [];
    this.taken_at_ms = this.frames.now_ms();
    this.take(items);
  }

  /** Forgets what waits. */
  clear(): void {
    this.waiting = [];
  }
}

export const pageFrames: Frames = {
  get hidden() {
    return document.visibilityState === "hidden";
  },
  now_ms: steady_ms,
  next: frameAfter,
};
