import { whenIdle } from "../time/clock";
import { renderTone, TONES, type ToneName } from "./tones";

const TONE_NAMES = Object.keys(TONES) as ToneName[];
// A tone that has just begun is still heard: begun anew at every press of a storm it only stutters.
const RESTART_AFTER_S = 1;

/** Plays one looped tone at a time. Browsers keep it silent until `unlock` runs inside a gesture. */
export class Bell {
  private context: AudioContext | null = null;
  private readonly buffers = new Map<ToneName, AudioBuffer>();
  private source: AudioBufferSourceNode | null = null;
  private playing: ToneName | null = null;
  private began_s = 0;

  constructor(private readonly onChange: (audible: boolean) => void) {}

  get audible(): boolean {
    return this.context?.state === "running";
  }

  /** Makes everything ready, in silence. Without it the first key pressed here waits until the
   * browser's sound system has started: up to a third of a second in which nothing is drawn. */
  async prepare(): Promise<void> {
    // Asking which outputs there are starts it too, and holds nobody up. Over plain HTTP pages may
    // not ask.
    await navigator.mediaDevices?.enumerateDevices().catch(() => undefined);
    whenIdle(() => {
      const context = this.opened();
      for (const name of TONE_NAMES) whenIdle(() => void this.bufferOf(name, context));
    });
  }

  /** Call from a click or key press; tells through `onChange` whether it worked. */
  async unlock(): Promise<void> {
    try {
      await this.opened().resume();
    } catch {
      // Refused: the page keeps saying that its sound is off.
    }
    this.onChange(this.audible);
  }

  /** Loops `name` (null is silence). `restart` starts the cycle again even if it is the same tone. */
  play(name: ToneName | null, restart: boolean): void {
    const context = this.context;
    if (context === null) return;
    const anew = restart && context.currentTime - this.began_s > RESTART_AFTER_S;
    if (name === this.playing && !anew) return;
    this.source?.stop();
    this.source = null;
    this.playing = name;
    if (name === null) return;
    const source = context.createBufferSource();
    source.buffer = this.bufferOf(name, context);
    source.loop = true;
    source.connect(context.destination);
    source.start();
    this.began_s = context.currentTime;
    this.source = source;
  }

  private opened(): AudioContext {
    if (this.context === null) {
      this.context = new AudioContext();
      this.context.addEventListener("statechange", () => this.onChange(this.audible));
    }
    return this.context;
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
