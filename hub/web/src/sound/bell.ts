import { renderTone, TONES, type ToneName } from "./tones";

/** Plays one looped tone at a time. Browsers keep it silent until `unlock` runs inside a gesture. */
export class Bell {
  private context: AudioContext | null = null;
  private readonly buffers = new Map<ToneName, AudioBuffer>();
  private source: AudioBufferSourceNode | null = null;
  private playing: ToneName | null = null;

  constructor(private readonly onChange: (audible: boolean) => void) {}

  get audible(): boolean {
    return this.context?.state === "running";
  }

  /** Call from a click or key press; tells through `onChange` whether it worked. */
  async unlock(): Promise<void> {
    if (this.context === null) {
      const context = new AudioContext();
      this.context = context;
      context.addEventListener("statechange", () => this.onChange(this.audible));
    }
    try {
      await this.context.resume();
    } catch {
      // Refused: the page keeps saying that its sound is off.
    }
    this.onChange(this.audible);
  }

  /** Loops `name` (null is silence). `restart` starts the cycle again even if it is the same tone. */
  play(name: ToneName | null, restart: boolean): void {
    const context = this.context;
    if (context === null || (name === this.playing && !restart)) return;
    this.source?.stop();
    this.source = null;
    this.playing = name;
    if (name === null) return;
    const source = context.createBufferSource();
    source.buffer = this.bufferOf(name, context);
    source.loop = true;
    source.connect(context.destination);
    source.start();
    this.source = source;
  }

  private bufferOf(name: ToneName, context: AudioContext): AudioBuffer {
    const held = this.buffers.get(name);
    if (held !== undefined) return held;
    const samples = renderTone(TONES[name], context.sampleRate);
    const buffer = context.createBuffer(1, samples.length, context.sampleRate);
    buffer.copyToChannel(samples, 0);
    this.buffers.set(name, buffer);
    return buffer;
  }
}
