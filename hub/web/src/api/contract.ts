// The shapes of the hub's HTTP API under the names the page uses. They are made from the OpenAPI
// document (`npm run types`); only what OpenAPI cannot say stands here. Times are ISO 8601 in UTC.

import type { components } from "../../generated/schema";

type Schemas = components["schemas"];

/** Only the named fields: the hub may send more, but a misspelt one must not type-check. */
type Known<Shape> = { readonly [Key in keyof Shape as string extends Key ? never : Key]: Shape[Key] };

export type Incident = Known<Schemas["IncidentView"]>;
export type IncidentDetail = Known<Schemas["IncidentDetail"]>;
export type IncidentState = Incident["state"];
export type Priority = Incident["priority"];
export type Category = Incident["category"];
export type Alarm = Schemas["AlarmView"];
export type TimelineEntry = Schemas["TimelineEntry"];
export type Position = Schemas["PositionView"];
export type Account = Schemas["AccountView"];
export type Session = Schemas["SessionView"];
export type PageSettings = Schemas["PageSettings"];
export type Device = Schemas["DeviceView"];
export type Person = Schemas["PersonCard"];
export type PersonItem = Schemas["PersonItem"];
export type PersonState = Person["state"];
export type Premises = Schemas["PremisesCard"];
export type PremisesItem = Schemas["PremisesItem"];
export type Contact = Schemas["Contact"];
export type Care = Schemas["CareView"];
export type Fence = Schemas["FenceView"];
export type Shape = Fence["shapes"][number];
export type Finding = Schemas["FindingView"];
export type InactivityLine = Schemas["LineView"];
export type Signal = Schemas["SignalView"];
export type Points = Schemas["HistoryPoints"];
export type ProvisionedDevice = Schemas["ProvisionedDevice"];
export type ImportReport = Schemas["ImportReport"];
export type Stats = Schemas["Stats"];
export type Outcome = Schemas["Resolve"]["outcome"];
export type Language = "zh-CN" | "en";
/** What a dispatcher does to an incident, as the route is called. */
export type DeskAction =
  | "acknowledge"
  | "take-over"
  | "release"
  | "escalate"
  | "attend"
  | "resolve"
  | "reopen"
  | "responders"
  | "hand-off"
  | "call"
  | "note";
export type Ladder = Schemas["LadderView"];
export type Near = Schemas["NearView"];
export type Area = Schemas["AreaView"];
export type ServiceReport = Schemas["ServiceReport"];
export type ServiceRow = Schemas["ServiceRow"];
export type FalseAlarmReport = Schemas["FalseAlarmReport"];
export type PresserReport = Schemas["PresserReport"];
export type RoundSummary = Schemas["RoundSummary"];
export type Rota = Schemas["RotaView"];
export type Shift = Schemas["ShiftView"];
export type RotaGap = Schemas["GapView"];
export type DutyNow = Schemas["DutyNow"];
export type Handover = Schemas["HandoverView"];
export type Condition = Schemas["ConditionView"];
export type Wall = Schemas["WallView"];
export type SquareOfHomes = Schemas["SquareView"];
export type Policy = Schemas["PolicyView"];
export type PolicyBody = Schemas["PolicyBody"];
export type LadderBody = Schemas["LadderBody"];
export type Complaint = Schemas["ComplaintView"];
export type PolicyCheck = Schemas["PolicyCheck"];
export type ShippedPolicies = Schemas["ShippedPolicies"];
export type Caller = Schemas["CallerView"];
export type RoundPage = Schemas["RoundPage"];

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

export type SnapshotEvent = Omit<Schemas["SnapshotEvent"], "incidents"> & {
  readonly incidents: readonly Incident[];
};
export type IncidentEvent = Omit<Schemas["IncidentEvent"], "incident" | "merged_into"> & {
  readonly incident: Incident;
  readonly merged_into?: string | null;
};

export const OUTCOMES = [
  "helped",
  "false_alarm",
  "no_reply",
  "handed_off",
  "unfounded",
  "test",
] as const satisfies readonly Outcome[];
export const TECHNICAL_OUTCOMES = [
  "fixed",
  "false_alarm",
  "test",
] as const satisfies readonly Outcome[];
