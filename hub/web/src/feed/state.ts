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

type Writable<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] };
/** A state that is being changed: copied once, however many events are taken together. */
type Draft = Writable<Omit<FeedState, "incidents" | "bells" | "merged_into">> & {
  incidents: Map<string, Incident>;
  bells: Map<string, Bell>;
  merged_into: Map<string, string>;
};

export function reduceFeed(
  state: FeedState,
  events: readonly FeedEvent[],
  now_ms: number,
): FeedState {
  const draft: Draft = { ...state, ...copied(state) };
  for (const event of events) take(draft, event, now_ms);
  return draft;
}

function copied({ incidents, bells, merged_into }: FeedState) {
  return { incidents: new Map(incidents), bells: new Map(bells), merged_into: new Map(merged_into) };
}

function take(draft: Draft, event: FeedEvent, now_ms: number): void {
  if (event.name === "incident" && isRepeat(draft, event.id)) return;
  switch (event.name) {
    case "snapshot":
      takeSnapshot(draft, event.body, now_ms);
      break;
    case "incident":
      takeIncident(draft, event.body, now_ms);
      break;
    case "stats":
      takeStats(draft, event.body, now_ms);
  }
  draft.last_event_id = event.id ?? draft.last_event_id;
}

function takeStats(draft: Draft, stats: Stats, now_ms: number): void {
  const at_ms = Date.parse(stats.at);
  if (!Number.isNaN(at_ms)) draft.hub_ahead_ms = at_ms - now_ms;
  draft.stats = stats;
}

function takeSnapshot(draft: Draft, snapshot: SnapshotEvent, now_ms: number): void {
  const before = draft.incidents;
  draft.known = true;
  draft.incidents = new Map(snapshot.incidents.map((incident) => [incident.id, incident]));
  for (const id of draft.bells.keys()) if (!draft.incidents.has(id)) draft.bells.delete(id);
  for (const incident of snapshot.incidents) {
    // What happened while the line was cut rings as if it had been seen.
    if (ringsAnew(before.get(incident.id), incident)) ring(draft, incident, now_ms);
  }
  if (snapshot.stats) takeStats(draft, snapshot.stats, now_ms);
}

function takeIncident(draft: Draft, event: IncidentEvent, now_ms: number): void {
  const { incident, cause } = event;
  const target = event.merged_into ?? null;
  if (target !== null && target !== incident.id) return mergeAway(draft, incident.id, target);
  const before = draft.incidents.get(incident.id);
  keep(draft, incident);
  if (cause === "realarmed" || ringsAnew(before, incident)) return ring(draft, incident, now_ms);
  const answered = cause === "acknowledged" || cause === "attended" || cause === "pending";
  if (answered) answer(draft, incident.id);
}

/** New, back from "somebody has it", or with one more alarm. What is asked of the person rings not. */
function ringsAnew(before: Incident | undefined, incident: Incident): boolean {
  if (incident.state === "resolved" || incident.state === "checking") return false;
  if (incident.state === "raised" && before?.state !== "raised") return true;
  return before !== undefined && incident.alarm_count > before.alarm_count;
}

function ring(draft: Draft, incident: Incident, now_ms: number): void {
  if (incident.state === "resolved") return;
  const times = (draft.bells.get(incident.id)?.times ?? 0) + 1;
  draft.bells.set(incident.id, { at_ms: now_ms, times, answered: false });
  draft.rung_at_ms = now_ms;
  draft.rung_id = incident.id;
}

function answer(draft: Draft, id: string): void {
  const bell = draft.bells.get(id);
  if (bell !== undefined) draft.bells.set(id, { ...bell, answered: true });
}

function keep(draft: Draft, incident: Incident): void {
  draft.incidents.set(incident.id, incident);
  if (incident.state !== "resolved") return;
  draft.bells.delete(incident.id);
  const resolved = [...draft.incidents.values()].filter((each) => each.state === "resolved");
  resolved.sort((a, b) => (a.resolved_at ?? "").localeCompare(b.resolved_at ?? ""));
  for (const old of resolved.slice(0, Math.max(0, resolved.length - RESOLVED_KEPT))) {
    if (old.id !== incident.id) draft.incidents.delete(old.id);
  }
}

function mergeAway(draft: Draft, id: string, target: string): void {
  draft.incidents.delete(id);
  draft.bells.delete(id);
  draft.merged_into.set(id, target);
  for (const old of draft.merged_into.keys()) {
    if (draft.merged_into.size <= MERGED_KEPT) break;
    draft.merged_into.delete(old);
  }
}

/** Takes the answer to an own action, unless the feed has already brought something newer. */
export function takeAnswer(state: FeedState, incident: Incident): FeedState {
  const held = state.incidents.get(incident.id);
  if (held !== undefined && held.revision > incident.revision) return state;
  const draft = { ...state, ...copied(state) };
  keep(draft, incident);
  answer(draft, incident.id);
  return draft;
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
