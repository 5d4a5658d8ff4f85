// What the duty view reads, and reads again after a change.

import { ask } from "../api/ask";
import type { Condition, DutyNow, Handover, Rota, RotaGap } from "../api/contract";
import { Reading } from "../api/reading.svelte";
import { desk } from "../desk/desk.svelte";
import { preferences } from "../desk/preferences.svelte";
import { Areas } from "../shell/areas.svelte";
import type { Choice } from "../shell/choices";
import { sleep_ms } from "../time/clock";
import { midnights_ms, weekBegin_ms } from "./week";

const REFRESH_MS = 15_000;

export interface Wish {
  readonly area_id: string;
  readonly duty: Rota["shifts"][number]["duty"];
  readonly instead_of: Choice | null;
  readonly from_at: string;
  readonly until_at: string;
}

export class DutyBoard {
  readonly now = new Reading<DutyNow>();
  readonly rota = new Reading<Rota>();
  readonly gaps = new Reading<readonly RotaGap[]>();
  readonly conditions = new Reading<{ readonly items: readonly Condition[] }>();
  readonly handovers = new Reading<{ readonly items: readonly Handover[] }>();
  private readonly areas = new Areas();
  weeks_on = $state(0);
  /** The shift somebody wants to fill or swap. */
  wish = $state.raw<Wish | null>(null);

  readonly midnights = $derived(midnights_ms(weekBegin_ms(desk.now_ms, this.weeks_on)));

  areaName(area_id: string): string {
    return this.areas.name(area_id);
  }

  area(area_id: string): Choice {
    return { id: area_id, name: this.areaName(area_id) };
  }

  readRota(): void {
    const [begin, end] = [this.midnights[0] ?? 0, this.midnights[7] ?? 0];
    const query = { since: new Date(begin).toISOString(), until: new Date(end).toISOString() };
    void this.rota.read((signal) => ask("get", "/api/v1/rota", { query, signal }));
  }

  /** What changes by itself. */
  readNow(): void {
    void this.now.read((signal) => ask("get", "/api/v1/rota/now", { signal }));
    void this.gaps.read((signal) => ask("get", "/api/v1/rota/gaps", { query: { days: 7 }, signal }));
    if (desk.may("look")) {
      const query = { language: preferences.language };
      void this.conditions.read((signal) => ask("get", "/api/v1/assurance/conditions", { query, signal }));
    }
    if (desk.may("act")) {
      void this.handovers.read((signal) => ask("get", "/api/v1/handovers", { signal }));
    }
  }

  readAll(): void {
    this.readRota();
    this.readNow();
  }

  async keepFresh(signal: AbortSignal): Promise<void> {
    this.areas.read();
    while (!signal.aborted) {
      this.readNow();
      await sleep_ms(REFRESH_MS, signal);
    }
  }
}
