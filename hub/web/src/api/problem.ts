/** Why a request to the hub gave nothing usable: the hub's own words, or `status` 0 for no answer. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail === "" ? title : `${title}${isChinese(title) ? "：" : ": "}${detail}`);
  }

  get no_answer(): boolean {
    return this.status === 0;
  }

  /** No line, or a database that is away just now: the same question will be answered later. */
  get passes(): boolean {
    return this.no_answer || this.status === 503;
  }
}

const isChinese = (text: string): boolean => /\p{Script=Han}$/u.test(text);

function textOf(body: unknown, key: string): string {
  if (typeof body !== "object" || body === null) return "";
  const value = (body as Record<string, unknown>)[key];
  return typeof value === "string" ? value : "";
}

/** Reads an application/problem+json answer; anything else keeps at least its status. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  return new Problem(
    response.status,
    textOf(body, "title") || `HTTP ${response.status}`,
    textOf(body, "detail"),
  );
}
