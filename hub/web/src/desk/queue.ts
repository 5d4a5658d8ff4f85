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
    Date.parse(a.opened_at) - Date.parse(b.opened_at) ||
    (a.id < b.id ? -1 : 1)
  );
}

export interface QueueGroup {
  readonly group: Group;
  readonly incidents: readonly Incident[];
}

/** Open incidents by group, then priority, then age (oldest first); empty groups are left out. */
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
  return GROUPS.map((group) => ({ group, incidents: byGroup[group].sort(isBefore) })).filter(
    (part) => part.incidents.length > 0,
  );
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
