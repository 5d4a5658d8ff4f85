import { OUTCOMES, TECHNICAL_OUTCOMES, type DeskAction, type Incident } from "../api/contract";
import type { IncidentState, Outcome } from "../api/contract";

// Mirrors the hub's table of transitions (alerts/incident.py); the hub decides, this only hides
// what it would refuse.
const ALWAYS: readonly DeskAction[] = ["escalate", "responders", "hand-off", "call", "note"];
const POSSIBLE: Record<IncidentState, readonly DeskAction[]> = {
  checking: ["acknowledge", "attend", "resolve", ...ALWAYS],
  raised: ["acknowledge", "attend", "resolve", ...ALWAYS],
  acknowledged: ["attend", "resolve", ...ALWAYS],
  attended: ["resolve", ...ALWAYS],
  resolved: ["reopen", "note"],
};
/** What moves an incident on, in the order in which it is usually done. */
const FORWARD: readonly DeskAction[] = ["acknowledge", "attend", "resolve"];

/** Whether the hub would take it; `account_id` is who asks. */
export function isPossible(
  incident: Incident,
  action: DeskAction,
  account_id: string | null = null,
): boolean {
  if (incident.pending_action === action.replaceAll("-", "_")) return false;
  const held = incident.state === "acknowledged" || incident.state === "attended";
  const mine = incident.owner !== null && incident.owner.account_id === account_id;
  if (action === "take-over") return held && !mine;
  if (action === "release") return held && mine;
  return POSSIBLE[incident.state].includes(action);
}

/** The one action that a dispatcher most likely wants next; null when it is over. */
export function nextAction(incident: Incident): DeskAction | null {
  return FORWARD.find((action) => isPossible(incident, action)) ?? null;
}

export function outcomesFor(incident: Incident): readonly Outcome[] {
  return incident.category === "technical" ? TECHNICAL_OUTCOMES : OUTCOMES;
}

/** One key each, the same in every language. */
export const ACTION_KEYS: Record<DeskAction, string> = {
  acknowledge: "A",
  attend: "T",
  resolve: "R",
  "take-over": "V",
  release: "U",
  escalate: "X",
  call: "H",
  "hand-off": "D",
  note: "N",
  reopen: "G",
  responders: "P",
};

/** Actions that need a word more before they are sent. */
export const WITH_FORM: readonly DeskAction[] = ["resolve", "call", "hand-off", "note"];
