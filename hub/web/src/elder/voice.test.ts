import { expect, it } from "vitest";
import { spokenIn } from "./voice";

it("reads a sentence in its own language, whoever is named in it", () => {
  expect(spokenIn("Help is coming. 值班台 is looking after you. Expected by 13:03.")).toBe("en-GB");
  expect(spokenIn("帮助马上就到。Mei Lin正在为您处理。")).toBe("zh-CN");
});
