// The desk's sounds as plain numbers: rendered once, looped by the audio hardware, so that a busy
// or hidden page never loses the rhythm.

import type { Priority } from "../api/contract";

export type ToneName = Priority | "line_cut";

interface Pulse {
  readonly at_s: number;
  readonly for_s: number;
  readonly frequency_hz: number;
}

export interface Tone {
  readonly cycle_s: number;
  readonly loudness: number;
  readonly pulses: readonly Pulse[];
}

function pulses(frequencies_hz: readonly number[], each_s: number, gap_s: number): Pulse[] {
  return frequencies_hz.map((frequency_hz, index) => ({
    at_s: index * (each_s + gap_s),
    for_s: each_s,
    frequency_hz,
  }));
}

// Told apart by number of pulses and pace first, by pitch second: small loudspeakers and older ears
// lose pitch before rhythm. The shape follows the idea of IEC 60601-1-8's burst alarms (more and
// faster pulses mean more urgent); the figures are ours, not the standard's, and were not tried on
// listeners.
export const TONES: Record<ToneName, Tone> = {
  high: { cycle_s: 2.4, loudness: 0.5, pulses: pulses([880, 880, 880, 1109, 880], 0.14, 0.08) },
  medium: { cycle_s: 5, loudness: 0.38, pulses: pulses([659, 659, 784], 0.22, 0.14) },
  low: { cycle_s: 20, loudness: 0.28, pulses: pulses([494, 392], 0.3, 0.1) },
  line_cut: { cycle_s: 10, loudness: 0.32, pulses: pulses([392, 294], 0.45, 0.05) },
};

// Overtones carry the tone through loudspeakers that cannot reproduce the fundamental.
const OVERTONES = [1, 0.45, 0.25, 0.12];
const EDGE_S = 0.012;

/** One cycle of a tone as samples in -1..1; starts and ends in silence, so that it loops cleanly. */
export function renderTone(tone: Tone, sample_rate_hz: number): Float32Array<ArrayBuffer> {
  const samples = new Float32Array(Math.round(tone.cycle_s * sample_rate_hz));
  const scale = tone.loudness / OVERTONES.reduce((sum, part) => sum + part, 0);
  for (const pulse of tone.pulses) {
    const first = Math.round(pulse.at_s * sample_rate_hz);
    const count = Math.round(pulse.for_s * sample_rate_hz);
    for (let n = 0; n < count; n += 1) {
      const t_s = n / sample_rate_hz;
      const edge = Math.min(1, t_s / EDGE_S, (pulse.for_s - t_s) / EDGE_S);
      const phase = 2 * Math.PI * pulse.frequency_hz * t_s;
      const wave = OVERTONES.reduce((sum, part, k) => sum + part * Math.sin(phase * (k + 1)), 0);
      samples[first + n] = scale * Math.max(0, edge) * wave;
    }
  }
  return samples;
}
