import { expect, it } from "vitest";
import { ALL_DRAWN, windowOf } from "./window";

it("draws a short list whole, wherever it is", () => {
  expect(windowOf(ALL_DRAWN, 100, 9999, 800)).toEqual({ from: 0, to: ALL_DRAWN });
});

it("draws what is on the screen and a little around it", () => {
  const { from, to } = windowOf(1000, 100, 50_000, 800);
  expect(from).toBeLessThanOrEqual(500);
  expect(to).toBeGreaterThanOrEqual(508);
  expect(to - from).toBeLessThan(40);
});

it.each([
  [-5_000, 0],
  [0, 0],
  [1_000_000, 1000],
])("holds at the ends: %d px above", (above_px, edge) => {
  const { from, to } = windowOf(1000, 100, above_px, 800);
  expect(from).toBeGreaterThanOrEqual(0);
  expect(to).toBeLessThanOrEqual(1000);
  expect(edge === 0 ? from : to).toBe(edge);
});

it("keeps its edges while a few pixels are scrolled", () => {
  expect(windowOf(1000, 100, 50_010, 800)).toEqual(windowOf(1000, 100, 50_090, 800));
});
