import type { Complaint, Ladder, Policy } from "../api/contract";
import { t, units, word } from "../desk/preferences.svelte";
import { zh } from "../i18n/zh";
import { duration } from "../time/wording";

const NUMBERED = /^(family|nearest):(\d+)$/;

/** "first contact"; of somebody who is named, what they are called where that is known. */
export function targetName(who: string, names: Readonly<Record<string, string>> = {}): string {
  if (`target.${who}` in zh) return word("target", who);
  const numbered = NUMBERED.exec(who);
  if (numbered !== null) {
    const places = { number: numbered[2] ?? "" };
    return numbered[1] === "family" ? t("target.family_n", places) : t("target.nearest_n", places);
  }
  return names[who] ?? who.split(":").at(-1) ?? who;
}

/** What a policy holds for, in words. */
export function scopeWords(policy: Policy): string {
  const parts = [
    policy.person_name ?? policy.person_id ?? "",
    policy.kind === null ? "" : word("kind", policy.kind),
    policy.category === null ? "" : word("category", policy.category),
    policy.priority === null ? "" : word("priority", policy.priority),
  ].filter((part) => part !== "");
  return parts.length === 0 ? t("policies.everything") : parts.join(" · ");
}

/** What the hub complains of, in the page's language; a fault that is new to the page as it came. */
export function complaintWords(complaint: Complaint): string {
  const { fault, figure, text } = complaint;
  if (fault === "few_contacts") return t("fault.few_contacts", { count: figure ?? 0 });
  if (fault === "waits_long") return t("fault.waits_long", { seconds: figure ?? 0 });
  return `fault.${fault}` in zh ? word("fault", fault) : text;
}

/** The name somebody gave, or that of a shipped ladder; a policy without a name says what it is. */
export function ladderName(name: string): string {
  return name === "" ? t("policies.unnamed") : word("shipped", name);
}

export function reachedNames(rung: Ladder["rungs"][number]): string {
  return rung.told
    .map((each) => {
      const name = each.prompt == null ? (each.name ?? word("recipient", each.recipient)) : targetName(each.prompt);
      return `${name} (${each.channels.map((channel) => word("channel", channel)).join(", ")})`;
    })
    .join(" · ");
}

export function afterWords(after_s: number): string {
  return after_s === 0 ? t("policies.at_once") : t("policies.after", { after: duration(after_s * 1000, units()) });
}
