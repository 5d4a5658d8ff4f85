import { describe, expect, it } from "vitest";
import { say, sayWord, type Key } from "./catalogue";
import { en } from "./en";
import { zh } from "./zh";

const places = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

describe("catalogue", () => {
  it("has the same keys in both languages", () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
  });

  it("says each key in one of its parts only", () => {
    const parts = import.meta.glob<Record<string, object>>("./{zh,en}_*.ts", { eager: true });
    const keys = Object.values(parts).flatMap((part) => Object.values(part).flatMap(Object.keys));
    expect(keys.length).toBe(Object.keys(zh).length + Object.keys(en).length);
  });

  it.each(Object.keys(zh) as Key[])("%s is said in both, with the same places", (key) => {
    expect(zh[key]).not.toBe("");
    expect(en[key]).not.toBe("");
    expect(places(en[key])).toEqual(places(zh[key]));
  });

  it("fills in places", () => {
    expect(say("en", "detail.age", { years: 85 })).toBe("85 years");
  });

  it("shows words that it does not know as they came", () => {
    expect(sayWord("en", "kind", "fall")).toBe("Possible fall");
    expect(sayWord("zh-CN", "kind", "snow_storm")).toBe("snow storm");
  });
});
