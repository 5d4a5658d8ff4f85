// Ticks on their way to the record: shown at once, believed once they are recorded.

import type { Incident } from "../api/contract";
import * as hub from "../api/hub";
import { Problem } from "../api/problem";
import { desk } from "../desk/desk.svelte";

interface Said {
  readonly done: boolean;
  /** When the record's last word on the step was, as this desk said its own. */
  readonly after: string | null;
}

class Ticks {
  /** What this desk said and the record does not say yet, by incident and step. */
  private said = $state.raw<ReadonlyMap<string, Said>>(new Map());
  problem = $state.raw<Problem | null>(null);

  under_way(incident_id: string, step: number): boolean | undefined {
    return this.said.get(`${incident_id} ${step}`)?.done;
  }

  async say(incident: Incident, step: number, { done, after }: Said, note: string): Promise<void> {
    const key = `${incident.id} ${step}`;
    if (this.said.has(key)) return;
    this.problem = null;
    this.said = new Map(this.said).set(key, { done, after });
    try {
      desk.takeAnswer(await hub.act(incident.id, "note", { note }));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 401) return desk.leave("login.signed_out");
      this.problem = error;
      this.forget(key);
    }
  }

  /** The record has a newer word: this desk's own, or that of another which was said after it. */
  recorded(incident_id: string, step: number, at: string): void {
    const key = `${incident_id} ${step}`;
    const said = this.said.get(key);
    if (said !== undefined && said.after !== at) this.forget(key);
  }

  private forget(key: string): void {
    const said = new Map(this.said);
    said.delete(key);
    this.said = said;
  }
}

export const ticks = new Ticks();
