// What the areas of an account are called. Rows name an area by its id; people do not.

import { ask } from "../api/ask";
import type { Area } from "../api/contract";
import { Reading } from "../api/reading.svelte";

const PAGE_SIZE = 200;
/** Every community of a large city; with more, the rest is called by its id. */
const MOST = 5000;

export class Areas {
  private readonly reading = new Reading<ReadonlyMap<string, Area>>();

  read(): void {
    void this.reading.read(async (signal) => {
      const found = new Map<string, Area>();
      let cursor: string | null = null;
      do {
        const query: { limit: number; cursor: string | null } = { limit: PAGE_SIZE, cursor };
        const page = await ask("get", "/api/v1/areas", { query, signal });
        for (const area of page.items) found.set(area.id, area);
        cursor = page.next_cursor;
      } while (cursor !== null && found.size < MOST);
      return found;
    });
  }

  name(area_id: string): string {
    return this.reading.value?.get(area_id)?.name ?? area_id;
  }
}
