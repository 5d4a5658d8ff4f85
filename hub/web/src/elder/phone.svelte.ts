// Wires the elder's phone: the code, the queue of presses, the stream of receipts, position and voice.

import { beat, deskNow_ms, steady_ms } from "../time/clock";
import { STALE_AFTER_MS } from "../feed/staleness";
import { recall, remember } from "../shell/storage";
import { listen, post } from "./door";
import {
  dueNow, hear, keep, newPress, readQuestion, readReceipt, reconnected, taken, tried,
  type Action, type Place, type Press, type Question, type Receipt,
} from "./presses";
import { readSetup, type Setup } from "./setup";
import { spokenIn } from "./voice";
import { loadPresses, loadSetup, savePresses, saveSetup } from "./store";

// A phone must be heard every 300 s (docs/contract.md).
const STATUS_EVERY_MS = 240_000;
const STATUS_FIRST_MS = 1_000;
const HOTLINE_KEY = "carebell.phone.hotline";

const VIBRATION: Record<Receipt["stage"], number[]> = {
  heard: [120],
  received: [250, 120, 250],
  coming: [400, 150, 400, 150, 400],
  over: [150],
};

export type Phase = "opening" | "unset" | "ready";

class Phone {
  phase = $state<Phase>("opening");
  presses = $state.raw<readonly Press[]>([]);
  question = $state.raw<Question | null>(null);
  /** The last thing the hub said that belongs to no press of this phone. */
  said = $state.raw<Receipt | null>(null);
  connected = $state(false);
  /** The broker knows this code no more, or the hub just starts. */
  refused = $state(false);
  hotline = $state(recall(HOTLINE_KEY) ?? "");
  place = $state.raw<Place | null>(null);
  place_denied = $state(false);
  now_ms = $state(deskNow_ms());
  readonly latest = $derived([...this.presses].reverse().find((each) => each.action === "emergency") ?? null);
  private setup: Setup | null = null;
  private heard_ms = 0;
  private status_due_ms = 0;
  private sending = new Set<string>();

  async open(): Promise<void> {
    const told = readSetup(location.href);
    if (told !== null) await this.take(told);
    const setup = told ?? (await loadSetup());
    this.presses = keep(await loadPresses(), deskNow_ms());
    if (setup === null) this.phase = "unset";
    else this.begin(setup);
  }

  /** A code that was typed in or scanned; false: it is none. */
  async enter(code: string): Promise<boolean> {
    const setup = readSetup(code);
    if (setup === null) return false;
    await this.take(setup);
    this.begin(setup);
    return true;
  }

  /** The person pressed. It is kept before anything else, then sent; nothing is waited for. */
  press(action: Action = "emergency"): void {
    const message_id = crypto.randomUUID();
    const press = newPress(action, message_id, deskNow_ms(), this.place);
    this.change([...this.presses, press]);
    if (action === "cancel") this.question = null;
    this.send();
    this.locate();
  }

  private async take(setup: Setup): Promise<void> {
    await saveSetup(setup);
    // The secret must not stay in the address bar, where it would be copied along.
    history.replaceState(null, "", location.pathname);
    void navigator.storage?.persist?.();
  }

  private begin(setup: Setup): void {
    this.setup = setup;
    this.phase = "ready";
    this.status_due_ms = steady_ms() + STATUS_FIRST_MS;
    beat(() => this.onBeat());
    addEventListener("online", () => this.comeBack());
    const ear = {
      onHello: (hello: { hotline_number?: string }) => this.onHello(hello.hotline_number ?? ""),
      onCommand: (kind: string, body: unknown) => this.onCommand(kind, body),
      onBeat: () => {
        this.heard_ms = steady_ms();
        this.connected = true;
        this.refused = false;
      },
      onCut: (why: "cut" | "refused") => {
        this.connected = false;
        this.refused = why === "refused";
      },
    };
    void listen(setup, ear, new AbortController().signal);
    this.watchPlace();
  }

  private onHello(hotline: string): void {
    this.hotline = hotline;
    remember(HOTLINE_KEY, hotline);
    this.comeBack();
  }

  private comeBack(): void {
    const { again, all } = reconnected(this.presses, deskNow_ms());
    this.change(all);
    for (const press of again) void this.sendOne(press);
  }

  private onCommand(kind: string, body: unknown): void {
    if (kind === "check_in") {
      const question = readQuestion(body, deskNow_ms());
      if (question === null || question.check_in_id === this.question?.check_in_id) return;
      this.question = question;
      this.tell(question.text, VIBRATION.coming);
    } else if (kind === "locate") this.locate();
    else if (kind === "receipt") this.onReceipt(readReceipt(body));
  }

  private onReceipt(receipt: Receipt | null): void {
    if (receipt === null) return;
    const asked = this.question?.check_in_id ?? null;
    if (asked !== null && receipt.incident_id === asked && receipt.stage !== "received") this.question = null;
    const { all, moved } = hear(this.presses, receipt);
    const own = receipt.message_id === null || all.some((each) => each.message_id === receipt.message_id);
    if (moved !== null) {
      this.change(all);
      this.said = null;
    } else if (own) return;
    else this.said = receipt;
    if (receipt.text !== "") this.tell(receipt.text, receipt.vibrate ? VIBRATION[receipt.stage] : []);
  }

  private onBeat(): void {
    const now_ms = deskNow_ms();
    if (Math.floor(now_ms / 1000) !== Math.floor(this.now_ms / 1000)) this.now_ms = now_ms;
    if (steady_ms() - this.heard_ms >= STALE_AFTER_MS) this.connected = false;
    if (this.question !== null && this.question.until_ms < now_ms) this.question = null;
    this.send();
    if (steady_ms() >= this.status_due_ms) {
      this.status_due_ms = steady_ms() + STATUS_EVERY_MS;
      void this.sendStatus();
    }
  }

  private send(): void {
    for (const press of dueNow(this.presses, deskNow_ms())) void this.sendOne(press);
  }

  private async sendOne(press: Press): Promise<void> {
    const { setup } = this;
    if (setup === null || this.sending.has(press.message_id)) return;
    this.sending.add(press.message_id);
    this.update(press.message_id, (each) => tried(each, deskNow_ms()));
    const sent = await post(setup, "press", press.body);
    this.sending.delete(press.message_id);
    this.refused = sent === "refused";
    if (sent === "taken") this.update(press.message_id, taken);
  }

  private async sendStatus(): Promise<void> {
    if (this.setup === null) return;
    interface Battery {
      readonly level: number;
    }
    const asked = (navigator as { getBattery?: () => Promise<Battery> }).getBattery;
    const battery = await asked?.call(navigator).catch(() => null);
    const percent = battery ? { battery_percent: Math.round(battery.level * 100) } : {};
    const body = { observed_at: new Date(deskNow_ms()).toISOString(), ...percent };
    await post(this.setup, "status", JSON.stringify(body));
  }

  private update(message_id: string, step: (press: Press) => Press): void {
    this.change(this.presses.map((each) => (each.message_id === message_id ? step(each) : each)));
  }

  private change(presses: readonly Press[]): void {
    this.presses = presses;
    void savePresses(presses);
  }

  private watchPlace(): void {
    // Asked for once, at the first opening; without permission everything works but the map.
    navigator.geolocation?.watchPosition(
      (found) => this.onPlace(found),
      (error) => (this.place_denied = error.code === error.PERMISSION_DENIED),
      { enableHighAccuracy: false, maximumAge: 120_000 },
    );
  }

  /** A fix of now, sent after the press: the press never waits for it. */
  private locate(): void {
    navigator.geolocation?.getCurrentPosition(
      (found) => {
        this.onPlace(found);
        const { latitude, longitude, accuracy } = found.coords;
        const at = new Date(found.timestamp).toISOString();
        const body = { latitude, longitude, accuracy_m: accuracy, fixed_at: at, observed_at: at };
        if (this.setup !== null) void post(this.setup, "location", JSON.stringify(body));
      },
      () => undefined,
      { enableHighAccuracy: true, maximumAge: 10_000, timeout: 30_000 },
    );
  }

  private onPlace(found: GeolocationPosition): void {
    const { latitude, longitude, accuracy } = found.coords;
    this.place_denied = false;
    this.place = { latitude, longitude, accuracy_m: accuracy, fixed_at_ms: found.timestamp };
  }

  /** Shown by the page, spoken, and felt. */
  private tell(text: string, vibration: number[]): void {
    if (vibration.length > 0) navigator.vibrate?.(vibration);
    if (!("speechSynthesis" in globalThis)) return;
    const utterance = new SpeechSynthesisUtterance(text);
    // The hub speaks the person's language, which the page's may not be.
    utterance.lang = spokenIn(text);
    utterance.rate = 0.9;
    speechSynthesis.cancel();
    speechSynthesis.speak(utterance);
  }
}

export const phone = new Phone();
