// A family's sentences: pure, from what the hub sends to what a daughter on a train reads.

import type { Account, Incident, TimelineEntry } from "../api/contract";
import type { components } from "../../generated/schema";

export type Responding = components["schemas"]["RespondingView"];
export type Glance = components["schemas"]["GlanceView"];

export const MINUTES = [5, 15, 30, 60] as const;

/** What this account said to an incident: as itself, or under a name the register told it by. */
export function ownAnswer(incident: Incident, account: Account | null): Responding | null {
  const mine = (incident.responders ?? []).filter(
    (each) => account !== null && ((each.kind === "account" && each.id === account.id) ||
      (each.kind !== "account" && each.name === account.name)),
  );
  return mine.find((each) => each.answer !== "told") ?? mine[0] ?? null;
}

const SAID = new Set([
  "alarm", "escalate", "acknowledge", "take_over", "release", "going", "decline", "attend",
  "hand_off", "resolve", "reopen", "clear",
]);

/** The log in the order of time. The same step by the same person twice in a row is said once, and
 * that more people are told once until somebody does something. */
export function stepsOf(timeline: readonly TimelineEntry[]): TimelineEntry[] {
  let telling = false;
  return timeline
    .filter((entry) => SAID.has(entry.action))
    .sort((a, b) => a.at.localeCompare(b.at))
    .filter((entry) => {
      const again = telling && entry.action === "escalate";
      telling = entry.action === "escalate" || (telling && entry.action === "alarm");
      return !again;
    })
    .filter((entry, index, all) => {
      const before = all[index - 1];
      return before === undefined || before.action !== entry.action || before.actor_name !== entry.actor_name;
    });
}

/** Urgent ones first, then the newest; technical ones are the service's, not the family's. */
export function urgentOf(incidents: readonly Incident[]): Incident[] {
  const asked = (incident: Incident): number => (incident.state === "checking" ? 1 : 0);
  return incidents
    .filter((each) => each.state !== "resolved" && each.category !== "technical")
    .sort((a, b) => asked(a) - asked(b) || b.opened_at.localeCompare(a.opened_at));
}

/** Whole minutes from now, at least one. */
export function minutesUntil(at: string, now_ms: number): number {
  return Math.max(1, Math.ceil((Date.parse(at) - now_ms) / 60_000));
}
