import { ask } from "./ask";
import type { DeskAction, Device, Incident, IncidentDetail, Page, Session } from "./contract";

export const API_ROOT = "/api/v1";

export async function readSession(): Promise<Session> {
  return ask("get", "/api/v1/session");
}

export async function logIn(username: string, password: string): Promise<Session> {
  return ask("post", "/api/v1/session", { body: { username, password } });
}

export async function logOut(): Promise<void> {
  await ask("delete", "/api/v1/session");
}

export async function readIncident(id: string, signal?: AbortSignal): Promise<IncidentDetail> {
  return ask("get", "/api/v1/incidents/{incident_id}", { path: { incident_id: id }, signal });
}

export async function readResolved(cursor: string | null, limit: number): Promise<Page<Incident>> {
  return ask("get", "/api/v1/incidents", { query: { state: "resolved", cursor, limit } });
}

/** Sends a dispatcher's action; 200 (recorded) and 202 (kept, recorded later) both return the incident. */
export async function act(
  id: string,
  action: DeskAction,
  body: Record<string, unknown>,
): Promise<Incident> {
  return ask("post", `/api/v1/incidents/{incident_id}/${action}`, {
    path: { incident_id: id },
    body: body as Record<string, never>,
  });
}

export async function readDevices(
  q: string,
  cursor: string | null,
  limit: number,
  signal?: AbortSignal,
): Promise<Page<Device>> {
  return ask("get", "/api/v1/devices", { query: { q, cursor, limit }, signal });
}
