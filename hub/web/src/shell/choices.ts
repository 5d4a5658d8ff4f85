// What a picker offers: people, areas, responders and accounts, by what somebody types.

import { ask } from "../api/ask";
import { word } from "../desk/preferences.svelte";

export interface Choice {
  readonly id: string;
  readonly name: string;
  readonly detail?: string;
  readonly area_id?: string;
}

/** The best few for what was typed; with nothing typed, the first few. Raises Problem. */
export type Seek = (sought: string, signal: AbortSignal) => Promise<readonly Choice[]>;

/** More than this is read by nobody: another letter says more. */
const SHOWN = 10;

export const seekArea: Seek = async (q, signal) => {
  const page = await ask("get", "/api/v1/areas", { query: { q, limit: SHOWN }, signal });
  return page.items.map(({ id, name }) => ({ id, name }));
};

export const seekPerson: Seek = async (q, signal) => {
  const page = await ask("get", "/api/v1/people", { query: { q, limit: SHOWN }, signal });
  return page.items.map(({ id, name, address, area_id }) => ({ id, name, detail: address ?? "", area_id }));
};

export const seekResponder: Seek = async (q, signal) => {
  const page = await ask("get", "/api/v1/responders", { query: { q, limit: SHOWN }, signal });
  return page.items.map(({ id, name, phone }) => ({ id, name, detail: phone ?? "" }));
};

/** Any account of yours; whoever keeps the register may. */
export const seekAccount: Seek = async (q, signal) => {
  const page = await ask("get", "/api/v1/accounts", { query: { q, limit: SHOWN }, signal });
  return page.items.map(({ id, name, role }) => ({ id, name, detail: word("role", role) }));
};

/** Whoever can be on duty for an area: with a desk there or above. */
export function seekCandidate(area_id: string): Seek {
  return async (q, signal) => {
    const query = { area_id, q, limit: SHOWN };
    const found = await ask("get", "/api/v1/rota/candidates", { query, signal });
    return found.items.map(({ account_id, name, role }) => ({ id: account_id, name, detail: word("role", role) }));
  };
}

/** The next place in a list, round its ends; -1 is none yet. */
export function stepped(at: number, by: 1 | -1, count: number): number {
  if (count === 0) return -1;
  if (at < 0) return by === 1 ? 0 : count - 1;
  return (at + by + count) % count;
}
