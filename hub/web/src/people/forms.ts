// What the register's forms share. Pure but for the drawn id.

/** Of what was typed only what differs from what is stored: nobody's change is undone unseen. */
export function differing<Shape extends object>(before: object, values: Shape): Partial<Shape> {
  const stored = before as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) => stored[key] !== value),
  ) as Partial<Shape>;
}

const ID_BYTES = 4;

/** A free id with a speaking beginning; whoever keeps numbers of their own types another. */
export function newId(noun: string): string {
  const drawn = crypto.getRandomValues(new Uint8Array(ID_BYTES));
  return `${noun}-${[...drawn].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Moves an item of a list up or down; the ends stay. */
export function moved<Item>(items: readonly Item[], at: number, by: 1 | -1): Item[] {
  const to = at + by;
  const changed = [...items];
  if (to < 0 || to >= items.length) return changed;
  const [item] = changed.splice(at, 1);
  if (item !== undefined) changed.splice(to, 0, item);
  return changed;
}

/** "07:30" as minutes of the day, and back; null for no time. */
export function minuteOfDay(text: string): number | null {
  const match = /^(\d{2}):(\d{2})$/.exec(text);
  return match === null ? null : Number(match[1]) * 60 + Number(match[2]);
}

export function timeOfDay(minute: number | null | undefined): string {
  if (minute == null) return "";
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}
