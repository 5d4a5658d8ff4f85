// The only module that reads time or waits.

/** The desk PC's clock; may be wrong, so what is shown is corrected by the hub's. */
export function deskNow_ms(): number {
  return Date.now();
}

/** For durations only: never jumps when somebody sets the clock. */
export function steady_ms(): number {
  return performance.now();
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
