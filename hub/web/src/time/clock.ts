// The only module that reads time or waits.

/** The desk PC's clock; may be wrong, so what is shown is corrected by the hub's. */
export function deskNow_ms(): number {
  return Date.now();
}

/** For durations only: never jumps when somebody sets the clock. */
export function steady_ms(): number {
  return performance.now();
}

/** Calls `then` before the first frame that is `wait_ms` away or more. */
export function frameAfter(wait_ms: number, then: () => void): void {
  const draw = (): void => void requestAnimationFrame(then);
  if (wait_ms <= 0) draw();
  else setTimeout(draw, wait_ms);
}

// A page that is not seen draws nothing, and goes on after this.
const UNDRAWN_MS = 100;

/** Resolves when the next frame has been drawn. */
export function afterFrame(): Promise<void> {
  return new Promise((resolve) => {
    const undrawn = setTimeout(resolve, UNDRAWN_MS);
    requestAnimationFrame(() => {
      clearTimeout(undrawn);
      setTimeout(resolve);
    });
  });
}

// Safari does not say when it is idle.
const IDLE_BY_MS = 2_000;

/** Calls `then` when the page has nothing better to do, at the latest after two seconds. */
export function whenIdle(then: () => void): void {
  if ("requestIdleCallback" in globalThis) requestIdleCallback(then, { timeout: IDLE_BY_MS });
  else setTimeout(then, IDLE_BY_MS);
}

const listeners = new Set<() => void>();
let started = false;

/** Calls `onBeat` four times a second, hidden page or not; returns how to stop. */
export function beat(onBeat: () => void): () => void {
  if (!started) {
    started = true;
    const metronome = new Worker(new URL("./metronome.ts", import.meta.url), { type: "module" });
    metronome.addEventListener("message", () => listeners.forEach((listener) => listener()));
  }
  listeners.add(onBeat);
  return () => listeners.delete(onBeat);
}

/** Resolves on the first beat after `duration_ms`, or as soon as `signal` aborts. */
export function sleep_ms(duration_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const due_ms = steady_ms() + duration_ms;
    const done = (): void => {
      stop();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const stop = beat(() => {
      if (steady_ms() >= due_ms) done();
    });
    signal.addEventListener("abort", done);
  });
}
