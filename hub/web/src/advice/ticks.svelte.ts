// What a dispatcher has ticked off, on this desk and until its page closes: a help for the memory,
// not a record. What was done stands in the timeline.

const INCIDENTS_KEPT = 50;

class Ticks {
  private all = $state.raw<ReadonlyMap<string, ReadonlySet<number>>>(new Map());

  of(incident_id: string): ReadonlySet<number> {
    return this.all.get(incident_id) ?? new Set();
  }

  toggle(incident_id: string, step: number): void {
    const ticked = new Set(this.of(incident_id));
    if (!ticked.delete(step)) ticked.add(step);
    this.all = new Map([...this.all, [incident_id, ticked] as const].slice(-INCIDENTS_KEPT));
  }
}

export const ticks = new Ticks();
