// One entry of an incident's audit log in words: a headline, and what else a dispatcher wants to know.

import type { TimelineEntry } from "../api/contract";
import { preferences, t, word } from "../desk/preferences.svelte";
import { zh } from "../i18n/zh";

// For machines, or said elsewhere on the page.
const UNSAID = new Set(["alarm_id", "step", "next_deadline_at", "evidence", "phase"]);

function isKnown(key: string): boolean {
  return key in zh;
}

export function headline(entry: TimelineEntry): string {
  const exact = `${entry.action}.${entry.reason}`;
  return word("timeline", isKnown(`timeline.${exact}`) ? exact : entry.action);
}

export function details(entry: TimelineEntry): string[] {
  const said = isKnown(`timeline.${entry.action}.${entry.reason}`);
  const reason = entry.reason === null || said ? "" : entry.reason;
  return [reason, ...lines(entry.detail)].filter((line) => line !== "");
}

function lines(detail: unknown): string[] {
  if (detail === null || detail === undefined) return [];
  if (typeof detail !== "object") return [String(detail)];
  // The detector's own words only where the catalogue knows none.
  const texts = (detail as { texts?: Record<string, string> }).texts;
  const own = texts !== undefined && preferences.language in texts ? "text" : null;
  return Object.entries(detail)
    .filter(([key]) => !UNSAID.has(key) && key !== own)
    .map(([key, value]) => line(key, value));
}

function line(key: string, value: unknown): string {
  if (value === null || value === "" || (Array.isArray(value) && value.length === 0)) return "";
  switch (key) {
    case "kind":
    case "outcome":
      return word(key, String(value));
    case "note":
    case "text":
      return String(value);
    case "texts":
      return (value as Record<string, string>)[preferences.language] ?? "";
    case "flags":
      return listed(value).map((flag) => word("flag", flag)).join(" · ");
    case "told":
      return t("timeline.told", { names: names(value) });
    case "nobody":
      return t("timeline.nobody", { names: names(value) });
    case "expected_arrival_s":
      return t("timeline.arrival", { minutes: Math.round(Number(value) / 60) });
    default:
      return `${key.replaceAll("_", " ")}: ${listed(value).join(", ")}`;
  }
}

function listed(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  return [typeof value === "object" ? JSON.stringify(value) : String(value)];
}

/** "channel:recipient" pairs as words. */
function names(value: unknown): string {
  const pairs = listed(value).map((pair) => {
    const [channel, ...recipient] = pair.split(":");
    return `${word("recipient", recipient.join(":"))} (${word("channel", channel ?? "")})`;
  });
  return pairs.join(", ");
}
