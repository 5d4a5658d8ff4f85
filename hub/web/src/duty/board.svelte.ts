// What the duty view reads, and reads again after a change.

import { ask } from "../api/ask";
import type { Account, Area, Condition, DutyNow, Handover, Page, Rota, RotaGap } from "../api/contract";
import { Reading } from "../api/reading.svelte";
import { desk } from "../desk/desk.svelte";
import { preferences } from "../desk/preferences.svelte";
import { sleep_ms } from "../time/clock";
import { midnights_ms, weekBegin_ms } from "./week";

const REFRESH_MS = 15_000;
const AT_ONCE = 200;

export interface Wish {
  readonly area_id: string;
  readonly duty: Rota["shifts"][number]["duty"];
  readonly instead_of: string;
  readonly from_at: string;
  readonly until_at: string;
}

export class DutyBoard {
  readonly now = new Reading<DutyNow>();
  readonly rota = new Reading<Rota>();
  readonly gaps = new Reading<readonly RotaGap[]>();
  readonly conditions = new Reading<{ readonly items: readonly Condition[] }>();
  readonly handovers = new Reading<{ readonly items: readonly Handover[] }>();
  readonly areas = new Reading<Page<Area>>();
  readonly accounts = new Reading<Page<Account>>();
  weeks_on = $state(0);
  /** The shift somebody wants to fill or swap. */
  wish = $state.raw<Wish | null>(null);

  readonly midnights = $derived(midnights_ms(weekBegin_ms(desk.now_ms, this.weeks_on)));

  /** Names of areas; where none is known, the id. */
  areaName(area_id: string): string {
    return this.areas.value?.items.find((area) => area.id === area_id)?.name ?? area_id;
  }

  readOnce(): void {
    const query = { limit: AT_ONCE };
    void this.areas.read((signal) => ask("get", "/api/v1/areas", { query, signal }));
    if (!desk.may("accounts")) return;
    void this.accounts.read((signal) => ask("get", "/api/v1/accounts", { query, signal }));
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
    this.readOnce();
    while (!signal.aborted) {
      this.readNow();
      await sleep_ms(REFRESH_MS, signal);
    }
  }
}
