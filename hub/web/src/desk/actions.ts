import { OUTCOMES, TECHNICAL_OUTCOMES, type DeskAction, type Incident } from "../api/contract";
import type { IncidentState, Outcome } from "../api/contract";

// Mirrors the hub's table of transitions (alerts/incident.py); the hub decides, this only hides
// what it would refuse.
const POSSIBLE: Record<IncidentState, readonly DeskAction[]> = {
  checking: ["acknowledge", "attend", "resolve"],
  raised: ["acknowledge", "attend", "resolve"],
  acknowledged: ["attend", "resolve"],
  attended: ["resolve"],
  resolved: [],
};

export function isPossible(incident: Incident, action: DeskAction): boolean {
  return incident.pending_action !== action && POSSIBLE[incident.state].includes(action);
}

/** The one action that a dispatcher most likely wants next; null when it is over. */
export function nextAction(incident: Incident): DeskAction | null {
  return POSSIBLE[incident.state].find((action) => action !== incident.pending_action) ?? null;
}

export function outcomesFor(incident: Incident): readonly Outcome[] {
  return incident.category === "technical" ? TECHNICAL_OUTCOMES : OUTCOMES;
}
