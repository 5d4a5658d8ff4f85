import type { Span } from "./figures";

/** What every report of the page is asked. */
export interface Asked {
  readonly area_id: string | null;
  readonly span: Span;
  readonly concern: "people" | "technical" | "all";
}

/** The same as the API's query. */
export function queryOf({ area_id, span, concern }: Asked) {
  return { area_id, from: span.from, to: span.to, concern };
}
