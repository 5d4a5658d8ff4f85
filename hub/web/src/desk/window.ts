// Which rows of a long list are drawn: those on the screen and some around them. Pure.

/** More rows than this are drawn only where they are seen; fewer are simply all there. */
export const ALL_DRAWN = 60;
/** Of a long list, until it is known which rows are seen: a high screen full. */
export const FIRST_DRAWN = 15;
/** Rows drawn beyond each edge, so that keys and a slow wheel never meet a gap. */
const AROUND = 10;
/** The edges move by so many rows at once: otherwise every row scrolled draws the list anew. */
const STEP = 5;

export interface Window {
  readonly from: number;
  /** Behind the last one. */
  readonly to: number;
}

/** `above_px`: how much of the list lies above the pane's upper edge, negative where it begins
 * below it. */
export function windowOf(
  count: number,
  row_px: number,
  above_px: number,
  pane_px: number,
): Window {
  if (count <= ALL_DRAWN) return { from: 0, to: count };
  const first = Math.floor(above_px / row_px) - AROUND;
  const last = Math.ceil((above_px + pane_px) / row_px) + AROUND;
  const from = Math.floor(Math.max(0, first) / STEP) * STEP;
  const to = Math.ceil(Math.max(0, last) / STEP) * STEP;
  return { from: Math.min(from, count), to: Math.min(Math.max(to, from), count) };
}
