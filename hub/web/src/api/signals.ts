/** Aborts as soon as one of the two does. (AbortSignal.any is younger than the browsers we serve.) */
export function either(first: AbortSignal, second: AbortSignal): AbortSignal {
  const joined = new AbortController();
  for (const signal of [first, second]) {
    if (signal.aborted) joined.abort(signal.reason);
    signal.addEventListener("abort", () => joined.abort(signal.reason), { signal: joined.signal });
  }
  return joined.signal;
}
