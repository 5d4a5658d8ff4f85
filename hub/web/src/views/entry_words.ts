// One entry of an incident's audit log in words: a headline, and what else a dispatcher wants to know.

import type { TimelineEntry } from "../api/contract";
import { preferences, t, word } from "../desk/preferences.svelte";
import { zh } from "../i18n/zh";
import { targetName } from "../policies/words";

function isKnown(key: string): boolean {
  return key in zh;
}

export function headline(entry: TimelineEntry): string {
  const exact = `${entry.action}.${entry.reason}`;
  return word("timeline", isKnown(`timeline.${exact}`) ? exact : entry.action);
}

/** What else is to be said. What only programs read is in the printed report, not here. */
export function details(entry: TimelineEntry): string[] {
  const detail = entry.detail ?? {};
  const found = entry.action === "send" ? [message(entry)] : lines(detail);
  return found.filter((line) => line !== "");
}

/** One message to one recipient, and what became of it. */
function message({ detail, reason }: TimelineEntry): string {
  const { recipient, channel } = detail ?? {};
  return t("timeline.message", {
    who: recipientName(String(recipient ?? "")),
    way: word("channel", String(channel ?? "")),
    became: word("delivery", reason ?? ""),
  });
}

function lines(detail: Record<string, unknown>): string[] {
  // The detector's own words only where the catalogue knows none.
  const texts = detail["texts"] as Record<string, string> | undefined;
  const own = texts !== undefined && preferences.language in texts ? "text" : null;
  return Object.entries(detail)
    .filter(([key]) => key !== own)
    .map(([key, value]) => line(key, value));
}

function line(key: string, value: unknown): string {
  if (value === null || value === "" || (Array.isArray(value) && value.length === 0)) return "";
  switch (key) {
    case "kind":
    case "outcome":
    case "service":
      return word(key, String(value));
    case "result":
      return word("call", String(value));
    case "note":
    case "text":
    case "reference":
      return String(value);
    case "texts":
      return (value as Record<string, string>)[preferences.language] ?? "";
    case "flags":
      return (value as string[]).map((flag) => word("flag", flag)).join(" · ");
    case "told":
      return t("timeline.told", { names: (value as string[]).map(pair).join(", ") });
    case "nobody":
      return t("timeline.nobody", { names: (value as Unreached[]).map(unreached).join(", ") });
    case "expected_arrival_s":
      return t("timeline.arrival", { minutes: Math.round(Number(value) / 60) });
    default:
      return "";
  }
}

interface Unreached {
  readonly who: string;
  readonly reason: string;
}

/** Whom a rung could not reach, and why. */
function unreached({ who, reason }: Unreached): string {
  return t("timeline.because", { who: targetName(who), why: word("nobody", reason) });
}

/** "channel:recipient" as words. */
function pair(text: string): string {
  const [channel, ...recipient] = text.split(":");
  return `${recipientName(recipient.join(":"))} (${word("channel", channel ?? "")})`;
}

/** Somebody by name where the page knows it, else what they are. */
function recipientName(recipient: string): string {
  if (`recipient.${recipient}` in zh) return word("recipient", recipient);
  const [kind, id] = recipient.split(":");
  return id !== undefined && `recipient.${kind}` in zh ? word("recipient", kind ?? "") : recipient;
}
