import { expect, it } from "vitest";
import { Gather } from "./gather";

function page(hidden = false) {
  const frames: (() => void)[] = [];
  const taken: number[][] = [];
  const gather = new Gather<number>((items) => taken.push([...items]), {
    hidden,
    next: (then) => void frames.push(then),
  });
  return { frames, taken, gather };
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
