import { describe, expect, it } from "vitest";
import { renderTone, TONES, type ToneName } from "./tones";

const RATE_HZ = 8_000;
const NAMES = Object.keys(TONES) as ToneName[];

describe.each(NAMES)("%s", (name) => {
  const tone = TONES[name];
  const samples = renderTone(tone, RATE_HZ);

  it("is one cycle long and fits its pulses", () => {
    expect(samples.length).toBe(Math.round(tone.cycle_s * RATE_HZ));
    for (const pulse of tone.pulses) {
      expect(pulse.at_s + pulse.for_s).toBeLessThan(tone.cycle_s);
    }
  });

  it("is heard, never clips, and loops through silence", () => {
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(peak).toBeGreaterThan(0.1);
    expect(peak).toBeLessThanOrEqual(1);
    expect(samples[0]).toBe(0);
    expect(samples.at(-1)).toBe(0);
  });
});

it("is louder and faster the more urgent it is", () => {
  const { high, medium, low } = TONES;
  expect(high.loudness).toBeGreaterThan(medium.loudness);
  expect(medium.loudness).toBeGreaterThan(low.loudness);
  expect(high.cycle_s).toBeLessThan(medium.cycle_s);
  expect(medium.cycle_s).toBeLessThan(low.cycle_s);
});
