// The shapes of the hub's HTTP API (/api/v1). Times are ISO 8601 in UTC.

export type IncidentState = "checking" | "raised" | "acknowledged" | "attended" | "resolved";
export type Priority = "high" | "medium" | "low";
export type Category = "personal" | "physiological" | "hazard" | "technical";
export type SubjectKind = "person" | "premises" | "device" | "area" | "hub";
export type DeskAction = "acknowledge" | "attend" | "resolve";
export type Language = "zh-CN" | "en";

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly area_id: string;
  readonly language: Language;
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly birth_year: number | null;
  readonly language: string | null;
  readonly phone: string | null;
  readonly medical_notes: string | null;
}

export interface Premises {
  readonly id: string;
  readonly address: string;
  readonly access_notes: string | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly time_zone: string | null;
  readonly phone: string | null;
}

export interface IncidentDevice {
  readonly id: string;
  /** Null for a device that is not registered. */
  readonly kind: string | null;
  readonly label: string | null;
}

export interface Position {
  readonly latitude: number;
  readonly longitude: number;
  readonly accuracy_m: number | null;
  readonly source: string | null;
  readonly fixed_at: string | null;
}

export interface Alarm {
  readonly id: string;
  readonly device_id: string;
  readonly message_id: string | null;
  readonly kind: string;
  readonly category: Category;
  readonly priority: Priority;
  readonly action: string | null;
  readonly observed_at: string | null;
  readonly received_at: string;
  readonly late: boolean;
  readonly flags: readonly string[];
  readonly text: string;
  readonly evidence?: Readonly<Record<string, unknown>>;
  // The evidence in words, by language; empty where there is none.
  readonly texts?: Readonly<Record<string, string>>;
}

export interface Incident {
  readonly id: string;
  readonly revision: number;
  readonly state: IncidentState;
  readonly provisional: boolean;
  readonly priority: Priority;
  readonly category: Category;
  readonly kind: string;
  readonly area_id: string;
  readonly subject: { readonly kind: SubjectKind; readonly id: string };
  readonly person: Person | null;
  readonly premises: Premises | null;
  readonly device: IncidentDevice | null;
  readonly position: Position | null;
  readonly alarms: readonly Alarm[];
  readonly alarm_count: number;
  readonly owner: { readonly account_id: string; readonly name: string } | null;
  readonly opened_at: string;
  readonly last_alarm_at: string;
  readonly acknowledged_at: string | null;
  readonly attended_at: string | null;
  readonly resolved_at: string | null;
  /** When somebody is expected at the door, as the owner said. */
  readonly expected_at?: string | null;
  readonly outcome: string | null;
  readonly note: string | null;
  readonly next_deadline_at: string | null;
  readonly step: number;
  readonly follows: string | null;
  /** Duress: nothing at the home may show that help is on its way. */
  readonly silent?: boolean;
  readonly pending_action: string | null;
}

export interface TimelineEntry {
  readonly at: string;
  readonly actor: string;
  readonly actor_name: string | null;
  readonly action: string;
  readonly reason: string | null;
  readonly detail: unknown;
}

export interface IncidentDetail extends Incident {
  readonly timeline: readonly TimelineEntry[];
}

export interface Device {
  readonly id: string;
  readonly kind: string;
  readonly label: string | null;
  readonly area_id: string;
  readonly premises_id: string | null;
  readonly person_id: string | null;
  readonly person_name?: string | null;
  readonly address?: string | null;
  readonly online: boolean;
  readonly last_seen_at: string | null;
  readonly battery_percent: number | null;
  readonly silent: boolean;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

export interface Stats {
  readonly at: string;
  readonly messages_per_s: number;
  readonly open_incidents: number;
  readonly oldest_unacknowledged_s: number | null;
  readonly devices_online: number;
  readonly devices_total: number;
  readonly database: "ok" | "slow" | "away";
  readonly broker: "ok" | "away";
  readonly ingest: "ok" | "away";
}

export type Cause =
  | "raised"
  | "realarmed"
  | "checking"
  | "noted"
  | "withdrawn"
  | "committed"
  | "merged"
  | "acknowledged"
  | "attended"
  | "resolved"
  | "escalated"
  | "pending"
  | "refreshed";

export interface SnapshotEvent {
  readonly epoch: string;
  readonly incidents: readonly Incident[];
  readonly stats: Stats | null;
}

export interface IncidentEvent {
  readonly incident: Incident;
  readonly cause: Cause;
  readonly alarm: Alarm | null;
  readonly merged_into?: string | null;
}

export const OUTCOMES = [
  "helped",
  "false_alarm",
  "no_reply",
  "handed_off",
  "unfounded",
  "test",
] as const;
export const TECHNICAL_OUTCOMES = ["fixed", "false_alarm", "test"] as const;
export type Outcome = (typeof OUTCOMES)[number] | (typeof TECHNICAL_OUTCOMES)[number];
