import { expect, it } from "vitest";
import { EVERY_MS, Gather } from "./gather";

function page(hidden = false) {
  const frames: (() => void)[] = [];
  const waits_ms: number[] = [];
  const clock = { now_ms: 1000 };
  const taken: number[][] = [];
  const gather = new Gather<number>((items) => taken.push([...items]), {
    hidden,
    now_ms: () => clock.now_ms,
    next: (wait_ms, then) => {
      waits_ms.push(wait_ms);
      frames.push(then);
    },
  });
  return { frames, waits_ms, clock, taken, gather };
}

it("takes what comes between two frames together, in order, and asks for one frame", () => {
  const { frames, taken, gather } = page();
  gather.add([1]);
  gather.add([2, 3]);
  expect(frames).toHaveLength(1);
  expect(taken).toEqual([]);
  frames[0]?.();
  gather.add([4]);
  frames[1]?.();
  expect(taken).toEqual([[1, 2, 3], [4]]);
});

it("shows the first at once, and while more come no more often than the pace", () => {
  const { frames, waits_ms, clock, gather } = page();
  gather.add([1]);
  expect(waits_ms[0]).toBeLessThanOrEqual(0);
  frames[0]?.();
  clock.now_ms += 30;
  gather.add([2]);
  expect(waits_ms[1]).toBe(EVERY_MS - 30);
  frames[1]?.();
  clock.now_ms += EVERY_MS;
  gather.add([3]);
  expect(waits_ms[2]).toBeLessThanOrEqual(0);
});

it("waits for no frame where the page is not seen", () => {
  const { frames, taken, gather } = page(true);
  gather.add([1]);
  expect(frames).toEqual([]);
  expect(taken).toEqual([[1]]);
});

it("takes everything once where frames are held back", () => {
  const { frames, taken, gather } = page();
  gather.add([1]);
  gather.flush();
  frames[0]?.();
  expect(taken).toEqual([[1]]);
});
