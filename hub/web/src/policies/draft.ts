// A policy while it is written, and what its targets may be. Pure.

import type { LadderBody, Policy, PolicyBody } from "../api/contract";

export type Step = LadderBody["steps"][number];
export type Target = Step["targets"][number];
export type Channel = Target["channels"][number];

export const CHANNELS: readonly Channel[] = ["push", "sms", "voice", "email", "apprise", "webhook"];
/** What is offered; "account:" and "responder:" are followed by whom somebody chooses. */
export const TARGETS = [
  "dispatchers", "on_duty:dispatcher", "on_duty:second", "on_duty:supervisor", "family", "family:1",
  "family:2", "family:3", "nearest", "nearest:3", "fallback", "emergency_service", "account:", "responder:",
] as const; // prettier-ignore
/** Whoever is told in one way alone (alerts/policy.py). */
const ONLY_BY: Readonly<Record<string, Channel>> = {
  dispatchers: "desk",
  emergency_service: "desk",
  fallback: "webhook",
};

export const KINDS = ["press", "fall", "hazard", "inactivity", "wandering", "bed_left", "call_in"] as const;
export const CATEGORIES = ["personal", "physiological", "hazard", "technical"] as const;
export const PRIORITIES = ["high", "medium", "low"] as const;

export const FIRST_WAIT_S = 60;
/** 22:00 to 07:00. */
export const USUAL_QUIET = { from_min: 1320, until_min: 420 } as const;

export function onlyWay(who: string): Channel | null {
  return ONLY_BY[who] ?? null;
}

/** "account:" of "account:mei": a target that names somebody; null for any other. */
export function namedNoun(who: string): "account" | "responder" | null {
  const noun = who.split(":")[0];
  return noun === "account" || noun === "responder" ? noun : null;
}

/** Somebody is to be named, and nobody is yet. */
export function isUnnamed(who: string): boolean {
  return who === "account:" || who === "responder:";
}

/** Another recipient: the ways that are possible for it stay as they are. */
export function withWho(target: Target, who: string): Target {
  const only = onlyWay(who);
  if (only !== null) return { who, channels: [only] };
  const kept = target.channels.filter((channel) => channel !== "desk");
  return { who, channels: kept.length > 0 && onlyWay(target.who) === null ? kept : ["sms"] };
}

/** Ticked last is tried last; the last way is never taken away. */
export function toggled(target: Target, channel: Channel): Target {
  const { who, channels } = target;
  if (!channels.includes(channel)) return { who, channels: [...channels, channel] };
  const left = channels.filter((each) => each !== channel);
  return { who, channels: left.length > 0 ? left : channels };
}

export function emptyPolicy(area_id: string): PolicyBody {
  return {
    area_id,
    kind: null,
    category: null,
    priority: null,
    person_id: null,
    ladder: {
      name: "",
      steps: [{ targets: [{ who: "dispatchers", channels: ["desk"] }], wait_s: FIRST_WAIT_S }],
      acknowledged_lease_s: 600,
      attended_lease_s: 3600,
      responder_stops_ladder: false,
      quiet_hours: null,
    },
  };
}

/** What is sent back: what the hub adds of its own is left out. */
export function bodyOf(policy: Policy): PolicyBody {
  const { area_id, kind, category, priority, person_id, ladder } = policy;
  return { area_id, kind, category, priority, person_id, ladder };
}

/** Whether the hub can be asked about it: everything that must be filled in is. */
export function isWhole(policy: PolicyBody): boolean {
  return policy.ladder.steps.every(
    ({ targets, wait_s }) => wait_s >= 5 && wait_s <= 86_400 && !targets.some(({ who }) => isUnnamed(who)),
  );
}

/** Next Sunday 03:00 of the desk: whoever plans a night looks at this first. */
export function nextSundayAtThree_ms(now_ms: number): number {
  const now = new Date(now_ms);
  const days = (7 - now.getDay()) % 7;
  const at = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 3).getTime();
  return at > now_ms ? at : new Date(now.getFullYear(), now.getMonth(), now.getDate() + 7, 3).getTime();
}
