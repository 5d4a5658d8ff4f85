import { describe, expect, it } from "vitest";
import { alarm, incident } from "../testing/incidents";
import { SOURCES, TOPICS, topicOf, type Advice, type Line } from "./advice";

const ALL: [string, Advice][] = Object.entries(TOPICS);
const lines = ({ ask, say, steps }: Advice): Line[] => [...ask, ...say, ...steps];

describe("the catalogue", () => {
  it.each(ALL)("%s is said in both languages and says what to do", (_, advice) => {
    expect(advice.steps.length).toBeGreaterThan(1);
    for (const each of lines(advice)) {
      expect(each["zh-CN"]).toMatch(/[\u4e00-\u9fff]/);
      expect(each.en).toMatch(/^[\x20-\x7e]+$/);
    }
  });

  it("names a public source for what is first aid", () => {
    const medical = /chest|breath|bleed|stroke|hypothermia|Heat:|on the side|carbon|score/i;
    for (const [topic, advice] of ALL) {
      for (const each of advice.say) {
        if (medical.test(each.en)) expect(each.source, `${topic}: ${each.en}`).toBeDefined();
      }
    }
    for (const source of Object.values(SOURCES)) expect(source.url).toMatch(/^https:\/\//);
  });
});

describe("topicOf", () => {
  const hazard = (kind: string) =>
    incident({ category: "hazard", kind: "hazard", alarms: [alarm({ evidence: { hazard: kind } })] });

  it.each([
    [incident(), "press"],
    [incident({ silent: true }), "duress"],
    [incident({ kind: "fall", category: "physiological" }), "fall"],
    [incident({ kind: "heart_rate_high", category: "physiological" }), "vital"],
    [hazard("gas"), "gas"],
    [hazard("carbon_monoxide"), "carbon_monoxide"],
    [incident({ kind: "device_silent", category: "technical" }), "technical"],
    [incident({ kind: "something_new", category: "personal" }), "press"],
  ] as const)("%#: %s", (subject, topic) => {
    expect(topicOf(subject)).toBe(topic);
  });
});
