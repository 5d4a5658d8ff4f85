import type {
  Account,
  DeskAction,
  Device,
  Incident,
  IncidentDetail,
  Page,
} from "./contract";
import { Problem, problemOf } from "./problem";
import { either } from "./signals";

export const API_ROOT = "/api/v1";

// Longer than any healthy answer; the hub itself answers 202 when its database is slow.
const ANSWER_WITHIN_MS = 10_000;

interface Call {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

async function call<Answer>(path: string, request: Call = {}): Promise<Answer> {
  const limit = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const init: RequestInit = {
    method: request.method ?? "GET",
    credentials: "same-origin",
    cache: "no-store",
    headers: { accept: "application/json" },
    signal: request.signal ? either(request.signal, limit) : limit,
  };
  if (request.body !== undefined) {
    init.headers = { ...init.headers, "content-type": "application/json" };
    init.body = JSON.stringify(request.body);
  }
  let response: Response;
  try {
    response = await fetch(API_ROOT + path, init);
  } catch (error) {
    throw new Problem(0, "", error instanceof Error ? error.message : String(error));
  }
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as Answer;
  try {
    return (await response.json()) as Answer;
  } catch {
    throw new Problem(0, "", "");
  }
}

function query(parameters: Record<string, string | number | null>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== null && value !== "") search.set(key, String(value));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

export async function readSession(): Promise<Account> {
  return (await call<{ account: Account }>("/session")).account;
}

export async function logIn(username: string, password: string): Promise<Account> {
  const body = { username, password };
  return (await call<{ account: Account }>("/session", { method: "POST", body })).account;
}

export async function logOut(): Promise<void> {
  await call<void>("/session", { method: "DELETE" });
}

export async function readIncident(id: string, signal?: AbortSignal): Promise<IncidentDetail> {
  return call<IncidentDetail>(`/incidents/${encodeURIComponent(id)}`, { signal });
}

export async function readResolved(cursor: string | null, limit: number): Promise<Page<Incident>> {
  return call<Page<Incident>>(`/incidents${query({ state: "resolved", cursor, limit })}`);
}

/** Sends a dispatcher's action; 200 (recorded) and 202 (kept, recorded later) both return the incident. */
export async function act(
  id: string,
  action: DeskAction,
  body: Record<string, unknown>,
): Promise<Incident> {
  const path = `/incidents/${encodeURIComponent(id)}/${action}`;
  return call<Incident>(path, { method: "POST", body });
}

export async function readDevices(
  q: string,
  cursor: string | null,
  limit: number,
  signal?: AbortSignal,
): Promise<Page<Device>> {
  return call<Page<Device>>(`/devices${query({ q, cursor, limit })}`, { signal });
}
