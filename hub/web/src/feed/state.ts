// What the page knows, as a pure function of the feed's events. Time comes in as an argument.

import type { Incident, IncidentEvent, SnapshotEvent, Stats } from "../api/contract";
import type { FeedEvent } from "./events";

/** The last time an incident called for the dispatcher on this page. */
export interface Bell {
  readonly at_ms: number;
  /** How often it rang here; 1 is the first time. */
  readonly times: number;
  /** Somebody has taken it since. */
  readonly answered: boolean;
}

export interface FeedState {
  /** False until the first snapshot: an empty list then means "not known", not "nothing". */
  readonly known: boolean;
  readonly last_event_id: string | null;
  readonly incidents: ReadonlyMap<string, Incident>;
  readonly bells: ReadonlyMap<string, Bell>;
  /** When an incident was last new or pressed again: what breaks through a mute. */
  readonly rung_at_ms: number;
  /** The incident that rang last, for the live region. */
  readonly rung_id: string | null;
  /** Ids that were merged away, and where to. */
  readonly merged_into: ReadonlyMap<string, string>;
  readonly stats: Stats | null;
  /** Hub clock minus desk clock: a desk PC with a wrong clock must not show wrong waiting times. */
  readonly hub_ahead_ms: number;
}

export const EMPTY_FEED: FeedState = {
  known: false,
  last_event_id: null,
  incidents: new Map(),
  bells: new Map(),
  rung_at_ms: 0,
  rung_id: null,
  merged_into: new Map(),
  stats: null,
  hub_ahead_ms: 0,
};

// Resolved incidents stay readable for a while after the click, but not for ever.
const RESOLVED_KEPT = 50;
// Merged ids only matter while somebody may still have the old one chosen.
const MERGED_KEPT = 200;

interface FeedPosition {
  readonly epoch: string;
  readonly number: number;
}

/** Reads `<epoch>-<n>`; null when the id has another form. */
export function feedPosition(id: string | null): FeedPosition | null {
  const match = id === null ? null : /^(.*)-(\d+)$/.exec(id);
  if (match === null) return null;
  return { epoch: match[1] ?? "", number: Number(match[2]) };
}

function isRepeat(state: FeedState, id: string | null): boolean {
  const next = feedPosition(id);
  const last = feedPosition(state.last_event_id);
  return next !== null && last !== null && next.epoch === last.epoch && next.number <= last.number;
}

export function reduceFeed(state: FeedState, event: FeedEvent, now_ms: number): FeedState {
  if (event.name === "incident" && isRepeat(state, event.id)) return state;
  const last_event_id = event.id ?? state.last_event_id;
  switch (event.name) {
    case "snapshot":
      return { ...takeSnapshot(state, event.body, now_ms), last_event_id };
    case "incident":
      return { ...takeIncident(state, event.body, now_ms), last_event_id };
    case "stats":
      return { ...takeStats(state, event.body, now_ms), last_event_id };
  }
}

function takeStats(state: FeedState, stats: Stats, now_ms: number): FeedState {
  const at_ms = Date.parse(stats.at);
  const hub_ahead_ms = Number.isNaN(at_ms) ? state.hub_ahead_ms : at_ms - now_ms;
  return { ...state, stats, hub_ahead_ms };
}

function takeSnapshot(state: FeedState, snapshot: SnapshotEvent, now_ms: number): FeedState {
  const incidents = new Map(snapshot.incidents.map((incident) => [incident.id, incident]));
  const bells = new Map([...state.bells].filter(([id]) => incidents.has(id)));
  let next: FeedState = { ...state, known: true, incidents, bells };
  for (const incident of snapshot.incidents) {
    // What happened while the line was cut rings as if it had been seen.
    if (ringsAnew(state.incidents.get(incident.id), incident)) next = ring(next, incident, now_ms);
  }
  return snapshot.stats ? takeStats(next, snapshot.stats, now_ms) : next;
}

function takeIncident(state: FeedState, event: IncidentEvent, now_ms: number): FeedState {
  const { incident, cause } = event;
  const target = event.merged_into ?? null;
  if (target !== null && target !== incident.id) return mergeAway(state, incident.id, target);
  const next = withIncident(state, incident);
  if (cause === "realarmed" || ringsAnew(state.incidents.get(incident.id), incident)) {
    return ring(next, incident, now_ms);
  }
  const answered = cause === "acknowledged" || cause === "attended" || cause === "pending";
  return answered ? answer(next, incident.id) : next;
}

/** New, back from "somebody has it", or with one more alarm. What is asked of the person rings not. */
function ringsAnew(before: Incident | undefined, incident: Incident): boolean {
  if (incident.state === "resolved" || incident.state === "checking") return false;
  if (incident.state === "raised" && before?.state !== "raised") return true;
  return before !== undefined && incident.alarm_count > before.alarm_count;
}

function ring(state: FeedState, incident: Incident, now_ms: number): FeedState {
  if (incident.state === "resolved") return state;
  const times = (state.bells.get(incident.id)?.times ?? 0) + 1;
  const bells = new Map(state.bells).set(incident.id, { at_ms: now_ms, times, answered: false });
  return { ...state, bells, rung_at_ms: now_ms, rung_id: incident.id };
}

function answer(state: FeedState, id: string): FeedState {
  const bell = state.bells.get(id);
  if (bell === undefined || bell.answered) return state;
  return { ...state, bells: new Map(state.bells).set(id, { ...bell, answered: true }) };
}

function withIncident(state: FeedState, incident: Incident): FeedState {
  const incidents = new Map(state.incidents).set(incident.id, incident);
  if (incident.state !== "resolved") return { ...state, incidents };
  const bells = new Map(state.bells);
  bells.delete(incident.id);
  const resolved = [...incidents.values()].filter((each) => each.state === "resolved");
  resolved.sort((a, b) => (a.resolved_at ?? "").localeCompare(b.resolved_at ?? ""));
  for (const old of resolved.slice(0, Math.max(0, resolved.length - RESOLVED_KEPT))) {
    if (old.id !== incident.id) incidents.delete(old.id);
  }
  return { ...state, incidents, bells };
}

function mergeAway(state: FeedState, id: string, target: string): FeedState {
  const incidents = new Map(state.incidents);
  incidents.delete(id);
  const bells = new Map(state.bells);
  bells.delete(id);
  const merged = [...state.merged_into, [id, target] as const].slice(-MERGED_KEPT);
  return { ...state, incidents, bells, merged_into: new Map(merged) };
}

/** Takes the answer to an own action, unless the feed has already brought something newer. */
export function takeAnswer(state: FeedState, incident: Incident): FeedState {
  const held = state.incidents.get(incident.id);
  if (held !== undefined && held.revision > incident.revision) return state;
  return answer(withIncident(state, incident), incident.id);
}

/** The incident an id stands for today, through any merges. */
export function followMerges(state: FeedState, id: string): string {
  let current = id;
  for (let step = 0; step <= state.merged_into.size; step += 1) {
    const next = state.merged_into.get(current);
    if (next === undefined) return current;
    current = next;
  }
  return current;
}
