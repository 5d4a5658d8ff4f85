// A dispatcher's actions on their way to the hub: what is under way, what failed and why.

import type { DeskAction, Incident } from "../api/contract";
import * as hub from "../api/hub";
import { Problem } from "../api/problem";
import { isPossible } from "./actions";
import { desk } from "./desk.svelte";

export interface Failure {
  readonly incident_id: string;
  readonly action: DeskAction;
  /** The hub's own words; null when it did not answer. */
  readonly reason: string | null;
}

class Deeds {
  under_way = $state.raw<ReadonlyMap<string, DeskAction>>(new Map());
  failure = $state.raw<Failure | null>(null);
  /** The incident whose outcome is being asked for. */
  resolving_id = $state<string | null>(null);

  isPossible(incident: Incident, action: DeskAction): boolean {
    return !this.under_way.has(incident.id) && isPossible(incident, action);
  }

  /** True when the hub took it (recorded or kept). */
  async act(
    incident: Incident,
    action: DeskAction,
    body: Record<string, unknown> = {},
  ): Promise<boolean> {
    if (!this.isPossible(incident, action)) return false;
    this.mark(incident.id, action);
    this.failure = null;
    try {
      desk.takeAnswer(await hub.act(incident.id, action, body));
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 401) desk.leave("login.signed_out");
      else {
        const reason = error.no_answer ? null : error.message;
        this.failure = { incident_id: incident.id, action, reason };
      }
      return false;
    } finally {
      this.mark(incident.id, null);
    }
  }

  private mark(id: string, action: DeskAction | null): void {
    const under_way = new Map(this.under_way);
    if (action === null) under_way.delete(id);
    else under_way.set(id, action);
    this.under_way = under_way;
    desk.sending = new Set(under_way.keys());
  }
}

export const deeds = new Deeds();
