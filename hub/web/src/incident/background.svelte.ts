// What is known of the person and home behind the chosen incident. The feed brings what matters at
// once; this comes after it, and may fail without the incident getting worse.

import { ask } from "../api/ask";
import type {
  Contact,
  Device,
  Incident,
  Ladder,
  Near,
  Page,
  Person,
  Premises,
} from "../api/contract";
import type { components } from "../../generated/schema";
import { Reading } from "../api/reading.svelte";
import { desk } from "../desk/desk.svelte";

export type LastValue = components["schemas"]["LastValue"];

const EARLIER_SHOWN = 20;

class Background {
  readonly person = new Reading<Person>();
  readonly premises = new Reading<Premises>();
  readonly contacts = new Reading<readonly Contact[]>();
  readonly earlier = new Reading<Page<Incident>>();
  readonly devices = new Reading<readonly Device[]>();
  readonly last = new Reading<readonly LastValue[]>();
  readonly ladder = new Reading<Ladder>();
  readonly near = new Reading<Near>();
  private of = "";
  private help_of = "";

  /** Reads anew for another incident, and once more when `attempt` differs. */
  follow(incident: Incident, attempt: string): void {
    this.readHelp(incident);
    const of = `${incident.id} ${attempt}`;
    if (of === this.of) return;
    const anew = !this.of.startsWith(`${incident.id} `);
    this.of = of;
    const person_id = incident.person?.id ?? null;
    const premises_id = incident.premises?.id ?? null;
    this.readPerson(person_id, anew);
    this.readHome(premises_id, person_id, anew);
  }

  get failed(): boolean {
    return [this.person, this.premises, this.contacts, this.earlier].some(
      (reading) => reading.state === "failed",
    );
  }

  /** The ladder and who could go: again whenever the incident changed. */
  private readHelp(incident: Incident): void {
    const of = `${incident.id} ${incident.revision} ${incident.provisional}`;
    if (of === this.help_of || incident.provisional) return;
    const anew = !this.help_of.startsWith(`${incident.id} `);
    this.help_of = of;
    const path = { incident_id: incident.id };
    void this.ladder.read(
      (signal) => ask("get", "/api/v1/incidents/{incident_id}/ladder", { path, signal }),
      anew,
    );
    if (!desk.may("browse")) return;
    const query = { limit: 8 };
    void this.near.read(
      (signal) => ask("get", "/api/v1/incidents/{incident_id}/responders", { path, query, signal }),
      anew,
    );
  }

  private readPerson(person_id: string | null, anew: boolean): void {
    for (const each of [this.person, this.contacts, this.last]) {
      if (person_id === null) {
        each.stop();
        each.value = null;
        each.problem = null;
      }
    }
    if (person_id === null || !desk.may("browse")) return;
    const path = { person_id };
    if (desk.may("history")) {
      const query = { person_id };
      void this.last.read(async (signal) => {
        return (await ask("get", "/api/v1/history/last", { query, signal })).items;
      }, anew);
    }
    void this.person.read((signal) => ask("get", "/api/v1/people/{person_id}", { path, signal }), anew);
    void this.contacts.read(async (signal) => {
      return (await ask("get", "/api/v1/people/{person_id}/contacts", { path, signal })).items;
    }, anew);
  }

  private readHome(premises_id: string | null, person_id: string | null, anew: boolean): void {
    const query = { limit: EARLIER_SHOWN };
    if (person_id !== null) {
      const path = { person_id };
      void this.earlier.read(
        (signal) => ask("get", "/api/v1/people/{person_id}/incidents", { path, query, signal }),
        anew,
      );
    } else if (premises_id !== null) {
      const path = { premises_id };
      void this.earlier.read(
        (signal) => ask("get", "/api/v1/premises/{premises_id}/incidents", { path, query, signal }),
        anew,
      );
    } else this.earlier.value = { items: [], next_cursor: null };
    if (premises_id === null || !desk.may("browse")) {
      this.premises.value = null;
      this.devices.value = [];
      return;
    }
    const path = { premises_id };
    void this.premises.read(
      (signal) => ask("get", "/api/v1/premises/{premises_id}", { path, signal }),
      anew,
    );
    void this.devices.read(async (signal) => {
      const asked = { premises_id, limit: 50 };
      return (await ask("get", "/api/v1/devices", { query: asked, signal })).items;
    }, anew);
  }
}

export const background = new Background();
