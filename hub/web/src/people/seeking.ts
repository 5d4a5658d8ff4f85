// Finding homes and family accounts for the register's forms, beside what every picker offers.

import { ask } from "../api/ask";
import type { Choice, Seek } from "../shell/choices";

const SHOWN = 10;

export const seekHome: Seek = async (q, signal) => {
  const page = await ask("get", "/api/v1/premises", { query: { q, limit: SHOWN }, signal });
  return page.items.map(({ id, address, area_id }) => ({ id, name: address, detail: id, area_id }));
};

export const seekFamily: Seek = async (q, signal) => {
  const query = { q, role: "family" as const, limit: SHOWN };
  const page = await ask("get", "/api/v1/accounts", { query, signal });
  return page.items.map(({ id, name, username }) => ({ id, name, detail: username }));
};

/** A home by its number, as a picker shows it. Raises Problem. */
export async function homeChoice(premises_id: string): Promise<Choice> {
  const path = { premises_id };
  const { id, address } = await ask("get", "/api/v1/premises/{premises_id}", { path });
  return { id, name: address };
}

/** A person by their number, as a picker shows them. Raises Problem. */
export async function personChoice(person_id: string): Promise<Choice> {
  const path = { person_id };
  const { id, name } = await ask("get", "/api/v1/people/{person_id}", { path });
  return { id, name };
}

/** An area by its number, as a picker shows it. Raises Problem. */
export async function areaChoice(area_id: string): Promise<Choice> {
  const { id, name } = await ask("get", "/api/v1/areas/{area_id}", { path: { area_id } });
  return { id, name };
}
