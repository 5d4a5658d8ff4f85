// What an incident is called on the page: who, what, where, and how far.

import type { Alarm, Incident } from "../api/contract";
import { preferences, t, units, word } from "../desk/preferences.svelte";
import { figureFormat, languageNames } from "../i18n/formats";
import { zh } from "../i18n/zh";
import { duration } from "../time/wording";

const URGENCY = { high: 0, medium: 1, low: 2 } as const;

export function alarmKind(alarm: Pick<Alarm, "kind" | "action" | "evidence">): string {
  if (alarm.action !== null && `kind.${alarm.kind}.${alarm.action}` in zh) {
    return word("kind", `${alarm.kind}.${alarm.action}`);
  }
  const hazard = typeof alarm.evidence?.hazard === "string" ? alarm.evidence.hazard : "";
  return `hazard.${hazard}` in zh ? word("hazard", hazard) : word("kind", alarm.kind);
}

/** What stands behind an alarm, in the page's language; else in the detector's own words. */
export function alarmText(alarm: Alarm): string {
  return alarm.texts?.[preferences.language] ?? alarm.text;
}

/** The most urgent alarm of an incident; of equals the newest. */
export function leadingAlarm(incident: Incident): Alarm | null {
  return incident.alarms.reduce<Alarm | null>(
    (best, alarm) =>
      best === null || URGENCY[alarm.priority] <= URGENCY[best.priority] ? alarm : best,
    null,
  );
}

export function what(incident: Incident): string {
  const alarm = leadingAlarm(incident);
  return alarm === null ? word("kind", incident.kind) : alarmKind(alarm);
}

export function who(incident: Incident): string {
  if (incident.person !== null) return incident.person.name;
  const { kind, id } = incident.subject;
  const label = incident.device?.label;
  if (kind === "device" && label) return label;
  if (kind === "area" && incident.area_name) return incident.area_name;
  // The hub and a drill have ids that only programs read.
  return kind === "hub" || kind === "drill" ? word("subject", kind) : `${word("subject", kind)} ${id}`;
}

export function where(incident: Incident): string {
  return incident.premises?.address ?? incident.area_name ?? incident.area_id;
}

export function isLate(incident: Incident): boolean {
  return incident.alarms.some((alarm) => alarm.late);
}

export function pendingWords(incident: Incident): string | null {
  const action = incident.pending_action;
  if (action === null) return null;
  const key = `mark.pending.${action}`;
  return key in zh ? word("mark.pending", action) : t("mark.pending");
}

/** "3 min": how long ago something was. */
export function since(at_ms: number, now_ms: number): string {
  return duration(now_ms - at_ms, units());
}

export function metres(distance_m: number): string {
  const kilometres = distance_m >= 1000;
  const value = kilometres ? distance_m / 1000 : distance_m;
  const digits = kilometres && value < 10 ? 1 : 0;
  return `${figureFormat(preferences.language, digits).format(value)} ${kilometres ? "km" : "m"}`;
}

/** "Chinese" for zh-CN; a tag the browser cannot name is shown as it came. */
export function languageName(tag: string): string {
  try {
    return languageNames(preferences.language).of(tag.split("-")[0] ?? tag) ?? tag;
  } catch {
    return tag;
  }
}
