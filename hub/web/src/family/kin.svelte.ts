// What a family sees, live: their people, and whether anybody of them has called for help.

import { ask } from "../api/ask";
import type { components } from "../../generated/schema";
import type { Account, Incident, PageSettings, Session } from "../api/contract";
import { Problem } from "../api/problem";
import { preferences } from "../desk/preferences.svelte";
import { keepLine } from "../feed/line";
import { lineState, type LineState } from "../feed/staleness";
import { EMPTY_FEED, followMerges, reduceFeed, takeAnswer, type FeedState } from "../feed/state";
import { beat, deskNow_ms, sleep_ms, steady_ms } from "../time/clock";
import { recallSeen_ms, rememberSeen } from "./remembered";
import { readRoute, writeRoute, type FamilyRoute, type FamilyView } from "./route";
import { urgentOf } from "./telling";

export type Relative = components["schemas"]["Relative"];
export type Phase = "opening" | "no_hub" | "signed_out" | "not_family" | "signed_in";

const RETRY_MS = 3_000;
// Where somebody is changes by the day; what happens comes over the line.
const PEOPLE_EVERY_MS = 60_000;

class Kin {
  phase = $state<Phase>("opening");
  account = $state.raw<Account | null>(null);
  settings = $state.raw<PageSettings | null>(null);
  route = $state.raw<FamilyRoute>(readRoute(location.hash));
  people = $state.raw<readonly Relative[] | null>(null);
  feed = $state.raw<FeedState>(EMPTY_FEED);
  line = $state<LineState>("connecting");
  now_ms = $state(deskNow_ms());
  heard_at_ms = $state(deskNow_ms());
  /** Goes up with every connection: the hub cuts the line when what may be shown has changed. */
  connections = $state(0);
  /** When this phone last heard the hub, before this page was opened too; null: never. */
  seen_ms = $state<number | null>(recallSeen_ms());
  private connected = false;
  private last_event_ms = 0;
  private ending: AbortController | null = null;

  constructor() {
    beat(() => this.onBeat());
    addEventListener("hashchange", () => (this.route = readRoute(location.hash)));
  }

  go(view: FamilyView, id: string | null = null): void {
    location.hash = writeRoute(view, id);
  }

  async open(): Promise<void> {
    while (this.phase === "opening" || this.phase === "no_hub") {
      try {
        this.enter(await ask("get", "/api/v1/session"));
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        this.phase = error.status === 401 ? "signed_out" : "no_hub";
        if (this.phase === "no_hub") await sleep_ms(RETRY_MS, new AbortController().signal);
      }
    }
  }

  async logIn(username: string, password: string): Promise<void> {
    this.enter(await ask("post", "/api/v1/session", { body: { username, password } }));
  }

  async logOut(): Promise<void> {
    await ask("delete", "/api/v1/session").catch(() => undefined);
    this.leave();
  }

  /** Open incidents of one of the people, what is urgent first. */
  incidentsOf(person: Relative): Incident[] {
    return urgentOf([...this.feed.incidents.values()].filter((each) => each.person?.id === person.id));
  }

  /** Whoever needs somebody stands first. */
  get inOrder(): Relative[] {
    const calm = (person: Relative): number => (this.incidentsOf(person).length > 0 ? 0 : 1);
    return [...(this.people ?? [])].sort((a, b) => calm(a) - calm(b));
  }

  /** Whether the service looks after one of their devices just now. */
  troubleOf(person: Relative): boolean {
    return [...this.feed.incidents.values()].some(
      (each) => each.person?.id === person.id && each.category === "technical" && each.state !== "resolved",
    );
  }

  /** What is known of an incident, under the id it has today; null: nothing, or no more. */
  incident(id: string): Incident | null {
    return this.feed.incidents.get(followMerges(this.feed, id)) ?? null;
  }

  /** Open incidents that are about no person: of a home, of several people. */
  get others(): Incident[] {
    const known = new Set((this.people ?? []).map((person) => person.id));
    return urgentOf([...this.feed.incidents.values()].filter((each) => !known.has(each.person?.id ?? "")));
  }

  /** Says what one does; raises Problem. The answer shows at once, whatever the line brings later. */
  async say(id: string, verb: "going" | "decline" | "arrive", minutes?: number): Promise<Incident> {
    const path = { incident_id: id };
    const body = minutes === undefined ? {} : { expected_arrival_s: minutes * 60 };
    const told =
      verb === "going"
        ? await ask("post", "/api/v1/incidents/{incident_id}/going", { path, body })
        : await ask("post", `/api/v1/incidents/{incident_id}/${verb}`, { path });
    this.feed = takeAnswer(this.feed, told);
    return told;
  }

  private enter({ account, page }: Session): void {
    this.account = account;
    this.settings = page ?? null;
    preferences.suggestLanguage(account.language);
    if (account.role !== "family") {
      this.phase = "not_family";
      return;
    }
    this.phase = "signed_in";
    this.ending?.abort();
    this.ending = new AbortController();
    const { signal } = this.ending;
    const exchange = { dial: fetch.bind(globalThis), sleep_ms, chance: Math.random };
    void keepLine(this.listener(), exchange, signal);
    void this.keepPeople(signal);
  }

  private leave(): void {
    this.ending?.abort();
    this.account = null;
    this.people = null;
    this.feed = EMPTY_FEED;
    this.connected = false;
    this.phase = "signed_out";
  }

  private async readPeople(signal?: AbortSignal): Promise<void> {
    this.people = (await ask("get", "/api/v1/family/people", { signal })).items;
  }

  private async keepPeople(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.readPeople(signal);
        await sleep_ms(PEOPLE_EVERY_MS, signal);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.status === 401) return this.leave();
        await sleep_ms(RETRY_MS, signal);
      }
    }
  }

  private listener(): Parameters<typeof keepLine>[0] {
    return {
      onConnected: () => {
        this.connected = true;
        this.connections += 1;
        // Where it fails the minute's look tries again.
        void this.readPeople().catch(() => undefined);
        this.last_event_ms = steady_ms();
      },
      onEvents: (events) => {
        const now_ms = deskNow_ms();
        this.feed = reduceFeed(this.feed, events, now_ms);
        this.last_event_ms = steady_ms();
        this.heard_at_ms = now_ms + this.feed.hub_ahead_ms;
        this.seen_ms = now_ms;
        rememberSeen(now_ms);
        this.onBeat();
      },
      onCut: () => {
        this.connected = false;
        this.onBeat();
      },
      onSignedOut: () => this.leave(),
      lastEventId: () => this.feed.last_event_id,
    };
  }

  private onBeat(): void {
    const now_ms = deskNow_ms() + this.feed.hub_ahead_ms;
    if (Math.floor(now_ms / 1000) !== Math.floor(this.now_ms / 1000)) this.now_ms = now_ms;
    const { connected, last_event_ms } = this;
    this.line = lineState({ known: this.feed.known, connected, last_event_ms }, steady_ms());
  }
}

export const kin = new Kin();
