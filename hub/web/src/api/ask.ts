// One function for every route, typed by the OpenAPI document: path, query, body and answer.

import type { paths } from "../../generated/schema";
import { Problem, problemOf } from "./problem";
import { either } from "./signals";

// Longer than any healthy answer; the hub itself answers 202 when its database is slow.
const ANSWER_WITHIN_MS = 10_000;

type Method = "get" | "post" | "put" | "patch" | "delete";
type Content<Shape> = Shape extends { content: { "application/json": infer Body } } ? Body : never;

type Operation<Path extends keyof paths, M extends Method> = NonNullable<paths[Path][M]>;

export type PathWith<M extends Method> = {
  [Path in keyof paths]: paths[Path][M] extends undefined ? never : Path;
}[keyof paths];

export type Answer<Path extends keyof paths, M extends Method> =
  Operation<Path, M> extends { responses: infer Responses }
    ? Responses extends { 200: infer Found }
      ? Content<Found>
      : Responses extends { 201: infer Made }
        ? Content<Made>
        : void
    : never;

type PathPlaces<Path extends keyof paths, M extends Method> =
  Operation<Path, M> extends { parameters: { path: infer Places } } ? Places : undefined;
type Query<Path extends keyof paths, M extends Method> =
  Operation<Path, M> extends { parameters: { query?: infer Asked } } ? Partial<Asked> : undefined;
type Body<Path extends keyof paths, M extends Method> =
  Operation<Path, M> extends { requestBody?: infer Sent } ? Partial<Content<NonNullable<Sent>>> : undefined;

export interface Request<Path extends keyof paths, M extends Method> {
  readonly path?: PathPlaces<Path, M>;
  readonly query?: Query<Path, M>;
  readonly body?: Body<Path, M>;
  readonly signal?: AbortSignal | undefined;
  /** For a question that waits at the hub on purpose. */
  readonly within_ms?: number;
}

/** Raises Problem; its status is 0 when the hub did not answer. */
export async function ask<M extends Method, Path extends PathWith<M>>(
  method: M,
  path: Path,
  request: Request<Path, M> = {},
): Promise<Answer<Path, M>> {
  const address = filled(path, request.path ?? {}) + queryText(request.query ?? {});
  const headers: Record<string, string> = { accept: "application/json" };
  const init: RequestInit = { method: method.toUpperCase(), headers };
  if (request.body !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(request.body);
  }
  return (await send(address, init, request.signal, request.within_ms)) as Answer<Path, M>;
}

/** Sends what OpenAPI cannot describe as JSON (a file). */
export async function send(
  address: string,
  init: RequestInit,
  signal?: AbortSignal,
  within_ms: number = ANSWER_WITHIN_MS,
): Promise<unknown> {
  const limit = AbortSignal.timeout(within_ms);
  let response: Response;
  try {
    response = await fetch(address, {
      ...init,
      // Why something was refused is said in the language of the page, not of the browser.
      headers: { "accept-language": document.documentElement.lang, ...init.headers },
      credentials: "same-origin",
      cache: "no-store",
      signal: signal ? either(signal, limit) : limit,
    });
  } catch (error) {
    throw new Problem(0, "", error instanceof Error ? error.message : String(error));
  }
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined;
  try {
    return await response.json();
  } catch {
    throw new Problem(0, "", "");
  }
}

/** "/people/{person_id}" with its places filled in. */
export function filled(path: string, places: object): string {
  const known = places as Record<string, string | number>;
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(known[name])));
}

export function queryText(asked: object): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(asked)) {
    if (value !== null && value !== undefined && value !== "") search.set(key, String(value));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}
