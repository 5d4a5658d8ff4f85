import { expect, it } from "vitest";
import { isNumber, numberFrom } from "./number";

it.each([
  ["021-5555 0101", true],
  ["+86 (138) 0013.8000", true],
  ["12", false],
  ["- - -", false],
  ["wang", false],
])("%s: %s", (text, taken) => {
  expect(isNumber(text)).toBe(taken);
});

it("takes only digits from an address", () => {
  expect(numberFrom("8613800138000")).toBe("8613800138000");
  expect(numberFrom("new")).toBe("");
  expect(numberFrom(null)).toBe("");
});
