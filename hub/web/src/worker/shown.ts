// What a push message shows. The worker is a file of its own and shares no code with the page.

export interface Shown {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  readonly lang: string;
  readonly urgent: boolean;
  readonly address: string;
}

const UNREADABLE = { "zh-CN": "有新消息，请打开查看", en: "There is news: open to see it" } as const;
const ID = /^[a-z0-9-]{1,64}$/;

/** A browser takes the permission back from whoever receives a push and shows nothing: whatever
 * comes, something is shown. */
export function shownFor(text: string | null): Shown {
  let said: Record<string, unknown> = {};
  try {
    const read: unknown = JSON.parse(text ?? "");
    if (typeof read === "object" && read !== null) said = read as Record<string, unknown>;
  } catch {
    // Not ours, or cut: the general words below.
  }
  const word = (key: string): string => (typeof said[key] === "string" ? said[key] : "");
  const lang = word("language") === "en" ? "en" : "zh-CN";
  const id = word("incident_id");
  return {
    title: word("title") || "Carebell",
    body: word("title") ? word("body") : UNREADABLE[lang],
    tag: word("tag") || "carebell",
    lang,
    urgent: word("urgency") === "high",
    address: ID.test(id) ? `/family/#/incident/${id}` : "/family/",
  };
}

/** The files of this site that a page or a script names: what it needs to open without a line. */
export function filesOf(text: string): string[] {
  const found = [...text.matchAll(/["'`](\/(?:assets\/[\w.-]+|favicon\.svg))["'`]/g)];
  return [...new Set(found.map((match) => match[1] ?? ""))];
}
