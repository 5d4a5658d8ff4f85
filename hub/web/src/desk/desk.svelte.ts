// Wires the pure parts (feed, queue, ringing) to the browser: line, clock, bell, address bar.

import type { Account, Incident, PageSettings, Session } from "../api/contract";
import * as hub from "../api/hub";
import { Problem } from "../api/problem";
import type { FeedEvent } from "../feed/events";
import { Gather, pageFrames } from "../feed/gather";
import { keepLine } from "../feed/line";
import { lineState, type LineState } from "../feed/staleness";
import { EMPTY_FEED, followMerges, reduceFeed, takeAnswer, type FeedState } from "../feed/state";
import type { PlainKey } from "../i18n/catalogue";
import { Bell } from "../sound/bell";
import { beat, deskNow_ms, sleep_ms, steady_ms, whenIdle } from "../time/clock";
import { Ordering, stepThrough } from "./queue";
import { preferences } from "./preferences.svelte";
import { isMuted, MUTE_FOR_MS, whatRings, type Mute } from "./ringing";
import { homeOf, mayOpen, readRoute, writeRoute, type Route, type View } from "../shell/places";

export type Phase = "opening" | "no_hub" | "signed_out" | "new_password" | "signed_in";

// Where people who belong to somebody look after them.
const FAMILY_PAGE = "/family/";

// One dial in vain is a hub that just starts; after that the dispatcher must know.
const DIALS_IN_VAIN = 2;
const RETRY_OPENING_MS = 3_000;
// A blip that the redial heals does not need a tone of its own.
const LINE_TONE_AFTER_MS = 10_000;

class Desk {
  phase = $state<Phase>("opening");
  account = $state.raw<Account | null>(null);
  /** What the account may do (docs/roles.md). */
  deeds = $state.raw<readonly string[]>([]);
  settings = $state.raw<PageSettings | null>(null);
  login_notice = $state<PlainKey | null>(null);

  feed = $state.raw<FeedState>(EMPTY_FEED);
  line = $state<LineState>("connecting");
  /** Dials in vain since the last event. */
  failed_dials = $state(0);
  /** The hub's time, once a second. */
  now_ms = $state(deskNow_ms());
  /** The hub's time of the last event. */
  heard_at_ms = $state(deskNow_ms());

  view = $state<View>("incidents");
  /** What the view shows, where it is not an incident. */
  item_id = $state<string | null>(null);
  part = $state<string | null>(null);
  chosen_id = $state<string | null>(null);
  /** Incidents with an own action under way. */
  sending = $state.raw<ReadonlySet<string>>(new Set());

  audible = $state(false);
  mute = $state.raw<Mute | null>(null);

  private readonly ordering = new Ordering();
  private readonly ordered = $derived(this.ordering.of(this.feed.incidents));
  readonly queue = $derived(this.ordered.groups);
  /** Homes with several open incidents. */
  readonly crowded = $derived(this.ordered.crowded);
  readonly ringing = $derived(
    whatRings(this.feed, this.sending, this.now_ms - this.feed.hub_ahead_ms),
  );
  readonly muted = $derived(
    isMuted(this.mute, this.feed.rung_at_ms, this.now_ms - this.feed.hub_ahead_ms),
  );
  readonly chosen = $derived(
    this.chosen_id === null ? null : (this.feed.incidents.get(this.chosen_id) ?? null),
  );

  readonly no_hub = $derived(this.line === "connecting" && this.failed_dials >= DIALS_IN_VAIN);

  private readonly bell = new Bell((audible) => {
    this.audible = audible;
    this.sound();
  });
  private readonly coming = new Gather<FeedEvent>((events) => this.takeEvents(events), pageFrames);
  private connected = false;
  private last_event_steady_ms = 0;
  private heard_rung_at_ms = 0;
  private signing_off: AbortController | null = null;

  constructor() {
    addEventListener("hashchange", () => this.readAddress());
    addEventListener("popstate", () => this.readAddress());
    beat(() => this.onBeat());
    document.addEventListener("visibilitychange", () => this.onBeat());
  }

  // ---- log-in

  async open(): Promise<void> {
    while (this.phase === "opening" || this.phase === "no_hub") {
      try {
        this.enter(await hub.readSession());
      } catch (error) {
        if (error instanceof Problem && error.status === 401) {
          this.phase = "signed_out";
          whenIdle(() => void this.bell.prepare());
        } else {
          this.phase = "no_hub";
          await sleep_ms(RETRY_OPENING_MS, new AbortController().signal);
        }
      }
    }
  }

  async logIn(username: string, password: string): Promise<void> {
    void this.unlockSound();
    this.enter(await hub.logIn(username, password));
  }

  async logOut(): Promise<void> {
    await hub.logOut().catch(() => undefined);
    this.leave(null);
  }

  /** After the password was changed, and by whoever logs in. */
  enter(session: Session): void {
    const { account } = session;
    if (account.role === "family" && !session.must_change_password) {
      return location.replace(FAMILY_PAGE);
    }
    this.account = account;
    this.deeds = session.deeds;
    this.settings = session.page;
    preferences.suggestLanguage(account.language);
    this.login_notice = null;
    if (session.must_change_password) {
      this.phase = "new_password";
      return;
    }
    this.phase = "signed_in";
    this.readAddress();
    this.signing_off?.abort();
    if (!this.may("look")) return;
    this.signing_off = new AbortController();
    const exchange = { dial: fetch.bind(globalThis), sleep_ms, chance: Math.random };
    void keepLine(this.listener(), exchange, this.signing_off.signal);
  }

  /** Forgets everything: the next person at this desk sees nothing of the last one's. */
  leave(notice: PlainKey | null): void {
    this.signing_off?.abort();
    this.signing_off = null;
    this.coming.clear();
    this.account = null;
    this.deeds = [];
    this.settings = null;
    this.feed = EMPTY_FEED;
    this.connected = false;
    this.sending = new Set();
    this.mute = null;
    this.chosen_id = null;
    this.login_notice = notice;
    this.phase = "signed_out";
    this.onBeat();
  }

  may(deed: string): boolean {
    return this.deeds.includes(deed);
  }

  // ---- live feed

  private listener(): Parameters<typeof keepLine>[0] {
    return {
      onConnected: () => {
        this.connected = true;
        this.failed_dials = 0;
        this.last_event_steady_ms = steady_ms();
      },
      onEvents: (events) => this.onEvents(events),
      onCut: (attempt) => {
        // What was heard counts, and is not asked for again.
        this.coming.flush();
        this.connected = false;
        this.failed_dials = attempt;
        this.onBeat();
      },
      onSignedOut: () => this.leave("login.signed_out"),
      lastEventId: () => this.feed.last_event_id,
    };
  }

  private onEvents(events: readonly FeedEvent[]): void {
    this.last_event_steady_ms = steady_ms();
    this.coming.add(events);
  }

  private takeEvents(events: readonly FeedEvent[]): void {
    const now_ms = deskNow_ms();
    const first = !this.feed.known;
    this.feed = reduceFeed(this.feed, events, now_ms);
    if (first && this.feed.known) whenIdle(() => void this.bell.prepare());
    this.heard_at_ms = now_ms + this.feed.hub_ahead_ms;
    this.afterChange();
  }

  takeAnswer(incident: Incident): void {
    this.feed = takeAnswer(this.feed, incident);
    this.afterChange();
  }

  private afterChange(): void {
    if (this.chosen_id !== null) {
      const id = followMerges(this.feed, this.chosen_id);
      if (id !== this.chosen_id) this.choose(id);
    } else if (this.view === "incidents") this.choose(stepThrough(this.queue, null, 1));
    this.onBeat();
  }

  private onBeat(): void {
    this.coming.flush();
    const now_ms = deskNow_ms() + this.feed.hub_ahead_ms;
    if (Math.floor(now_ms / 1000) !== Math.floor(this.now_ms / 1000)) this.now_ms = now_ms;
    const { connected, last_event_steady_ms } = this;
    this.line = lineState(
      { known: this.feed.known, connected, last_event_ms: last_event_steady_ms },
      steady_ms(),
    );
    this.sound();
  }

  // ---- sound

  async unlockSound(): Promise<void> {
    await this.bell.unlock();
  }

  /** True while a tone for an incident really comes out of this desk. */
  get rings_now(): boolean {
    return this.audible && !this.muted && this.ringing.priority !== null;
  }

  muteForAWhile(): void {
    const from_ms = deskNow_ms();
    this.mute = { from_ms, until_ms: from_ms + MUTE_FOR_MS };
    this.now_ms = from_ms + this.feed.hub_ahead_ms;
    this.sound();
  }

  unmute(): void {
    this.mute = null;
    this.sound();
  }

  private sound(): void {
    const { rung_at_ms } = this.feed;
    const again = rung_at_ms > this.heard_rung_at_ms;
    this.heard_rung_at_ms = rung_at_ms;
    if (this.phase !== "signed_in") return this.bell.play(null, false);
    if (this.ringing.priority !== null && !this.muted) {
      return this.bell.play(this.ringing.priority, again);
    }
    const silence_ms = steady_ms() - this.last_event_steady_ms;
    const cut = this.line === "stale" && silence_ms > LINE_TONE_AFTER_MS && this.mute === null;
    this.bell.play(cut ? "line_cut" : null, false);
  }

  // ---- address and choice

  show(view: View): void {
    this.go({ view, id: null, part: null });
  }

  /** Opens a view or a thing in it; the browser's own "back" leads back. */
  go(route: Partial<Route> & { readonly view: View }): void {
    this.take({ id: null, part: null, ...route });
    if (this.view === "incidents" && this.chosen === null) {
      this.chosen_id = stepThrough(this.queue, null, 1);
    }
    history.pushState(null, "", this.address());
  }

  choose(id: string | null): void {
    this.chosen_id = id;
    if (this.ofIncidents) history.replaceState(null, "", this.address());
  }

  step(by: 1 | -1): void {
    this.choose(stepThrough(this.queue, this.chosen_id, by));
  }

  private get ofIncidents(): boolean {
    return this.view === "incidents" || this.view === "resolved";
  }

  private take(route: Route): void {
    this.view = mayOpen(route.view, this.deeds) ? route.view : homeOf(this.deeds);
    const given = this.view === route.view ? route : { id: null, part: null };
    if (this.ofIncidents) {
      if (given.id !== null || this.view === "resolved") this.chosen_id = given.id;
      this.item_id = this.part = null;
    } else {
      this.item_id = given.id;
      this.part = given.part;
    }
  }

  private readAddress(): void {
    if (this.phase !== "signed_in") return;
    this.take(readRoute(location.hash) ?? { view: homeOf(this.deeds), id: null, part: null });
  }

  private address(): string {
    const id = this.ofIncidents ? this.chosen_id : this.item_id;
    return writeRoute({ view: this.view, id, part: this.ofIncidents ? null : this.part });
  }
}

export const desk = new Desk();
