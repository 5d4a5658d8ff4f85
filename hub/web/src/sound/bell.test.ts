import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Bell } from "./bell";

/** As much of the browser's audio as a bell needs; counts what begins. */
class Loudspeaker {
  static now_s = 0;
  static begun = 0;
  readonly sampleRate = 8_000;
  readonly destination = {};
  readonly state = "running";

  get currentTime(): number {
    return Loudspeaker.now_s;
  }

  addEventListener(): void {}

  async resume(): Promise<void> {}

  createBuffer(): object {
    return { copyToChannel: () => undefined };
  }

  createBufferSource(): object {
    const begin = (): void => void (Loudspeaker.begun += 1);
    return { connect: () => undefined, start: begin, stop: () => undefined };
  }
}

beforeEach(() => {
  Loudspeaker.now_s = 10;
  Loudspeaker.begun = 0;
  vi.stubGlobal("AudioContext", Loudspeaker);
});
afterEach(() => void vi.unstubAllGlobals());

it("begins a tone anew for a new press, but does not stutter in a storm of them", async () => {
  const bell = new Bell(() => undefined);
  await bell.unlock();
  bell.play("high", true);
  for (let press = 0; press < 9; press += 1) {
    Loudspeaker.now_s += 0.1;
    bell.play("high", true);
  }
  expect(Loudspeaker.begun).toBe(1);
  Loudspeaker.now_s += 1;
  bell.play("high", true);
  expect(Loudspeaker.begun).toBe(2);
});

it("changes to another tone at once", async () => {
  const bell = new Bell(() => undefined);
  await bell.unlock();
  bell.play("low", true);
  bell.play("high", true);
  expect(Loudspeaker.begun).toBe(2);
});
