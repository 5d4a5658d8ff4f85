// Events that come between two frames are taken together: a page that draws once for each of fifty
// events a second has no time left for its dispatcher.

/** What draws: `requestAnimationFrame` where the page is seen. */
export interface Frames {
  readonly hidden: boolean;
  next(then: () => void): void;
}

export class Gather<Item> {
  private waiting: Item[] = [];
  private asked = false;

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
    this.frames.next(() => {
      this.asked = false;
      this.flush();
    });
  }

  /** Takes what waits, now: also called four times a second, for pages whose frames are held back. */
  flush(): void {
    if (this.waiting.length === 0) return;
    const items = this.waiting;
    this.waiting = [];
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
  next: (then) => void requestAnimationFrame(then),
};
