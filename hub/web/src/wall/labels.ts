// Which incidents of a map are drawn as one, and where there is room for their names. Pure; px from
// the upper left corner of the map. What is more important comes first in every list.

export interface Spot {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Box extends Spot, Size {}

/** Incidents that lie so close together that one mark stands for them. */
export interface Cluster<Item> {
  readonly at: Spot;
  /** The most important one: its colour and its name are those of the mark. */
  readonly first: Item;
  readonly count: number;
}

/** Names that are looked for room, the most important first: about what fits on half a large screen,
 * however many incidents a storm brings. The others are marks. */
export const NAMED_MOST = 60;

export const SIDES = ["right", "left", "top", "bottom"] as const;
export type Side = (typeof SIDES)[number];

export function clustered<Item>(
  placed: readonly { readonly item: Item; readonly at: Spot }[],
  apart_px: number,
): Cluster<Item>[] {
  const clusters: Cluster<Item>[] = [];
  for (const { item, at } of placed) {
    const near = clusters.findIndex((one) => Math.hypot(one.at.x - at.x, one.at.y - at.y) < apart_px);
    const found = clusters[near];
    if (found === undefined) clusters.push({ at, first: item, count: 1 });
    else clusters[near] = { ...found, count: found.count + 1 };
  }
  return clusters;
}

export interface Mark {
  readonly at: Spot;
  readonly radius: number;
  /** Of its name; null: it has none, and only keeps others from lying over it. */
  readonly name: Size | null;
}

/** On which side of its mark each name has room: inside the frame, over no mark, no other name and
 * nothing of `taken`. Null: on none, so that it is left out. */
export function sidesOf(marks: readonly Mark[], frame: Size, taken: readonly Box[], gap_px: number): (Side | null)[] {
  const busy = [...taken, ...marks.map(boxOf)];
  return marks.map((mark, n) => {
    if (mark.name === null) return null;
    const own = taken.length + n;
    for (const side of SIDES) {
      const box = boxAt(mark, mark.name, side, gap_px);
      const free = isInside(box, frame) && busy.every((other, m) => m === own || !overlap(box, other));
      if (!free) continue;
      busy.push(box);
      return side;
    }
    return null;
  });
}

function boxOf({ at, radius }: Mark): Box {
  return { x: at.x - radius, y: at.y - radius, width: 2 * radius, height: 2 * radius };
}

function boxAt({ at, radius }: Mark, { width, height }: Size, side: Side, gap_px: number): Box {
  const off = radius + gap_px;
  switch (side) {
    case "right":
      return { x: at.x + off, y: at.y - height / 2, width, height };
    case "left":
      return { x: at.x - off - width, y: at.y - height / 2, width, height };
    case "top":
      return { x: at.x - width / 2, y: at.y - off - height, width, height };
    case "bottom":
      return { x: at.x - width / 2, y: at.y + off, width, height };
  }
}

function isInside(box: Box, frame: Size): boolean {
  return box.x >= 0 && box.y >= 0 && box.x + box.width <= frame.width && box.y + box.height <= frame.height;
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
