import type { Incident, Priority } from "../api/contract";

/** The parts of the queue, in the order in which they need a human. */
export const GROUPS = ["waiting", "checking", "acknowledged", "attended"] as const;
export type Group = (typeof GROUPS)[number];

const PRIORITY_RANK: Record<Priority, number> = { high: 0, medium: 1, low: 2 };

/** Null for a resolved incident: it is in no queue. */
export function groupOf(incident: Incident): Group | null {
  switch (incident.state) {
    case "raised":
      return "waiting";
    case "resolved":
      return null;
    default:
      return incident.state;
  }
}

function isBefore(a: Incident, b: Incident): number {
  return (
    PRIORITY_RANK[a.priority] - PRIORITY_RANK[b.priority] ||
    // All of one form (UTC, milliseconds, Z), so the lesser text is the earlier time.
    (a.opened_at < b.opened_at ? -1 : a.opened_at > b.opened_at ? 1 : a.id < b.id ? -1 : 1)
  );
}

export interface QueueGroup {
  readonly group: Group;
  /** In the order of the rows. */
  readonly incidents: readonly Incident[];
}

/** The home an incident is at; null: not known, and then it stands alone. */
export function addressOf(incident: Incident): string | null {
  return incident.premises?.id ?? null;
}

/** Sorted incidents with those of one home behind the one that is most urgent there. */
function together(sorted: readonly Incident[]): Incident[] {
  const at = new Map<string, Incident[]>();
  const homes: Incident[][] = [];
  for (const incident of sorted) {
    const address = addressOf(incident);
    const home = address === null ? undefined : at.get(address);
    if (home !== undefined) home.push(incident);
    else {
      const first = [incident];
      homes.push(first);
      if (address !== null) at.set(address, first);
    }
  }
  return homes.flat();
}

/** How many open incidents there are at each home, whoever has them; only where it is several. */
export function countAtHomes(queue: readonly QueueGroup[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const incident of queue.flatMap((part) => part.incidents)) {
    const address = addressOf(incident);
    if (address !== null) counts.set(address, (counts.get(address) ?? 0) + 1);
  }
  return new Map([...counts].filter(([, count]) => count > 1));
}

/** Open incidents by group, then priority, then age (oldest first), those of one home together;
 * empty groups are left out. */
export function orderQueue(incidents: Iterable<Incident>): QueueGroup[] {
  const byGroup: Record<Group, Incident[]> = {
    waiting: [],
    checking: [],
    acknowledged: [],
    attended: [],
  };
  for (const incident of incidents) {
    const group = groupOf(incident);
    if (group !== null) byGroup[group].push(incident);
  }
  return GROUPS.map((group) => ({
    group,
    incidents: together(byGroup[group].sort(isBefore)),
  })).filter((part) => part.incidents.length > 0);
}

export interface Ordered {
  readonly groups: readonly QueueGroup[];
  /** How many at each home, where it is several. */
  readonly crowded: ReadonlyMap<string, number>;
}

/** Whether a change of an incident leaves it where it stands. */
function staysWhereItIs(before: Incident, now: Incident): boolean {
  return (
    before.state === now.state &&
    before.priority === now.priority &&
    before.opened_at === now.opened_at &&
    addressOf(before) === addressOf(now)
  );
}

/** The queue from one update to the next. Most updates move nobody: then nothing is sorted, and the
 * groups in which nothing changed stay the very same. */
export class Ordering {
  private held: ReadonlyMap<string, Incident> = new Map();
  private ordered: Ordered = { groups: [], crowded: new Map() };

  of(incidents: ReadonlyMap<string, Incident>): Ordered {
    const touched = this.touched(incidents);
    this.held = incidents;
    if (touched === null) {
      const groups = orderQueue(incidents.values());
      this.ordered = { groups, crowded: countAtHomes(groups) };
    } else if (touched.size > 0) {
      const groups = this.ordered.groups.map((part) =>
        touched.has(part.group) ? renewed(part, incidents) : part,
      );
      this.ordered = { ...this.ordered, groups };
    }
    return this.ordered;
  }

  /** The groups with a changed incident; null: somebody came, went or moved. */
  private touched(incidents: ReadonlyMap<string, Incident>): ReadonlySet<Group> | null {
    if (incidents.size !== this.held.size) return null;
    const groups = new Set<Group>();
    for (const [id, now] of incidents) {
      const before = this.held.get(id);
      if (before === now) continue;
      if (before === undefined || !staysWhereItIs(before, now)) return null;
      const group = groupOf(now);
      if (group !== null) groups.add(group);
    }
    return groups;
  }
}

function renewed(part: QueueGroup, incidents: ReadonlyMap<string, Incident>): QueueGroup {
  return { ...part, incidents: part.incidents.map((each) => incidents.get(each.id) ?? each) };
}

/** The id `by` rows away from the chosen one; the first when nothing is chosen; stops at the ends. */
export function stepThrough(
  queue: readonly QueueGroup[],
  chosen_id: string | null,
  by: 1 | -1,
): string | null {
  const ids = queue.flatMap((part) => part.incidents.map((incident) => incident.id));
  const at = chosen_id === null ? -1 : ids.indexOf(chosen_id);
  if (at === -1) return ids[0] ?? chosen_id;
  return ids[Math.min(ids.length - 1, Math.max(0, at + by))] ?? chosen_id;
}

/** A human has waited longer than this for an answer: shown strongly. */
// Answered within 60 s: the floor of the UK Telecare Services Association.
export const ANSWER_WITHIN_MS = 60_000;
