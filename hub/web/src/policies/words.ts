import type { Ladder, PolicyBody } from "../api/contract";
import { t, units, word } from "../desk/preferences.svelte";
import { zh } from "../i18n/zh";
import { duration } from "../time/wording";

/** "first contact"; account:ID and the like as they are written. */
export function targetName(who: string): string {
  return `target.${who}` in zh ? word("target", who) : who;
}

/** What a policy holds for, in words. */
export function scopeWords(policy: Omit<PolicyBody, "ladder">): string {
  const parts = [
    policy.person_id ?? "",
    policy.kind == null ? "" : word("kind", policy.kind),
    policy.category == null ? "" : word("category", policy.category),
    policy.priority == null ? "" : word("priority", policy.priority),
  ].filter((part) => part !== "");
  return parts.length === 0 ? t("policies.everything") : parts.join(" · ");
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
