import type { IncidentEvent, SnapshotEvent, Stats } from "../api/contract";
import type { ServerSentEvent } from "./server_sent";

/** One decoded event of the live feed. */
export type FeedEvent =
  | { readonly name: "snapshot"; readonly id: string | null; readonly body: SnapshotEvent }
  | { readonly name: "incident"; readonly id: string | null; readonly body: IncidentEvent }
  | { readonly name: "stats"; readonly id: string | null; readonly body: Stats };

/** Null for an event this page does not know: a newer hub may send more than an older page reads. */
export function decodeEvent(event: ServerSentEvent): FeedEvent | null {
  const { id, name, text } = event;
  if (name !== "snapshot" && name !== "incident" && name !== "stats") return null;
  return { name, id, body: JSON.parse(text) } as FeedEvent;
}
