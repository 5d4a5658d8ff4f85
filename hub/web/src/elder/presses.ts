// The repeat rule of the device contract (docs/contract.md) as a pure function of time: what this
// phone has to say, how far each press has come, and when it is sent next. Times are arguments.

export type Action = "emergency" | "cancel";
/** Kept here, taken by the broker, then the hub's four stages, in order. */
export type Stage = "waiting" | "sent" | "heard" | "received" | "coming" | "over";
const ORDER: readonly Stage[] = ["waiting", "sent", "heard", "received", "coming", "over"];

export interface Press {
  readonly message_id: string;
  readonly action: Action;
  /** The very bytes of every repeat: another byte would be another press. */
  readonly body: string;
  readonly pressed_ms: number;
  readonly stage: Stage;
  /** The hub's sentence for the stage. */
  readonly text: string;
  readonly tries: number;
  readonly due_ms: number;
}

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
  readonly accuracy_m: number;
  readonly fixed_at_ms: number;
}

const REPEATS_MS = [2_000, 4_000, 8_000];
const LATER_MS = 15_000;
// An older fix may be another street; a phone at rest is asked again all the time.
const PLACE_COUNTS_MS = 5 * 60_000;
// Over, or never answered: a day later it is nobody's news any more.
export const KEPT_MS = 24 * 3_600_000;

export function newPress(action: Action, message_id: string, now_ms: number, place: Place | null): Press {
  const usable = place !== null && now_ms - place.fixed_at_ms <= PLACE_COUNTS_MS;
  const position = usable && {
    latitude: place.latitude,
    longitude: place.longitude,
    accuracy_m: place.accuracy_m,
    fixed_at: new Date(place.fixed_at_ms).toISOString(),
  };
  const body = JSON.stringify({
    message_id,
    observed_at: new Date(now_ms).toISOString(),
    action,
    ...(position && action === "emergency" ? { position } : {}),
  });
  return { message_id, action, body, pressed_ms: now_ms, stage: "waiting", text: "", tries: 0, due_ms: now_ms };
}

export function isAnswered(press: Press): boolean {
  return ORDER.indexOf(press.stage) >= ORDER.indexOf("received");
}

/** What must be sent now: until `received`, however long it takes. */
export function dueNow(presses: readonly Press[], now_ms: number): Press[] {
  return presses.filter((press) => !isAnswered(press) && press.due_ms <= now_ms);
}

/** A try begins; the next one is due by the rule, whatever becomes of this one. */
export function tried(press: Press, now_ms: number): Press {
  return { ...press, tries: press.tries + 1, due_ms: now_ms + (REPEATS_MS[press.tries] ?? LATER_MS) };
}

/** The broker has it. That is not `received`. */
export function taken(press: Press): Press {
  return press.stage === "waiting" ? { ...press, stage: "sent" } : press;
}

/** After every reconnect whatever is not over is sent once more: a repeat is answered with how far
 * things have come since. */
export function reconnected(presses: readonly Press[], now_ms: number): { again: Press[]; all: Press[] } {
  const open = (press: Press): boolean => press.action === "emergency" && press.stage !== "over";
  const all = presses.map((press) => (open(press) ? { ...press, tries: 0, due_ms: now_ms } : press));
  return { again: all.filter(open), all };
}

export interface Receipt {
  readonly stage: "heard" | "received" | "coming" | "over";
  readonly text: string;
  readonly message_id: string | null;
  readonly incident_id: string | null;
  readonly vibrate: boolean;
}

export interface Question {
  readonly check_in_id: string;
  readonly text: string;
  readonly until_ms: number;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Null: nothing this page knows. Defaults are left out on the wire. */
export function readReceipt(body: unknown): Receipt | null {
  if (typeof body !== "object" || body === null) return null;
  const said = body as Record<string, unknown>;
  const stage = text(said["stage"]);
  if (stage !== "heard" && stage !== "received" && stage !== "coming" && stage !== "over") return null;
  return {
    stage,
    text: text(said["text"]),
    message_id: text(said["message_id"]) || null,
    incident_id: text(said["incident_id"]) || null,
    vibrate: said["vibrate"] !== false,
  };
}

export function readQuestion(body: unknown, now_ms: number): Question | null {
  if (typeof body !== "object" || body === null) return null;
  const said = body as Record<string, unknown>;
  const within_s = Number(said["answer_within_s"]);
  const asked_ms = Date.parse(text(said["at"]));
  const until_ms = (Number.isNaN(asked_ms) ? now_ms : asked_ms) + within_s * 1000;
  // A phone whose clock is wrong must not swallow a question: only one long past is not shown.
  if (text(said["check_in_id"]) === "" || !(until_ms > now_ms - 60_000)) return null;
  return { check_in_id: text(said["check_in_id"]), text: text(said["text"]), until_ms };
}

/** The press a receipt is about moves forward, never back; without an id it is the last one. */
export function hear(presses: readonly Press[], receipt: Receipt): { all: Press[]; moved: Press | null } {
  const target =
    receipt.message_id === null
      ? [...presses].reverse().find((press) => press.action === "emergency")
      : presses.find((press) => press.message_id === receipt.message_id);
  if (target === undefined || ORDER.indexOf(receipt.stage) < ORDER.indexOf(target.stage)) {
    return { all: [...presses], moved: null };
  }
  const same = receipt.stage === target.stage && receipt.text === target.text;
  const moved = { ...target, stage: receipt.stage, text: receipt.text || target.text };
  const all = presses.map((press) => (press === target ? moved : press));
  return { all, moved: same ? null : moved };
}

/** What is still worth keeping. */
export function keep(presses: readonly Press[], now_ms: number): Press[] {
  return presses.filter((press) => now_ms - press.pressed_ms < KEPT_MS);
}
