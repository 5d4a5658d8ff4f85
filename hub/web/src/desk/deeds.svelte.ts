// A dispatcher's actions on their way to the hub: what is under way, what failed and why.

import type { DeskAction, Incident } from "../api/contract";
import * as hub from "../api/hub";
import { Problem } from "../api/problem";
import { isPossible, WITH_FORM } from "./actions";
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
  /** The action that needs a word more before it is sent. */
  form = $state.raw<{ readonly incident_id: string; readonly action: DeskAction } | null>(null);

  isPossible(incident: Incident, action: DeskAction): boolean {
    return !this.under_way.has(incident.id) && isPossible(incident, action, desk.account?.id);
  }

  formOf(incident: Incident): DeskAction | null {
    return this.form?.incident_id === incident.id ? this.form.action : null;
  }

  /** By key or button: asks for what is missing, or sends. */
  begin(incident: Incident, action: DeskAction): void {
    if (!this.isPossible(incident, action)) return;
    if (!WITH_FORM.includes(action)) void this.act(incident, action);
    else if (this.formOf(incident) === action) this.form = null;
    else this.form = { incident_id: incident.id, action };
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
