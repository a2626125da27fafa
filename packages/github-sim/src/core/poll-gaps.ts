import type { Clock } from '@baton/shared/time';

interface Track {
  held: number;
  /** When the last held poll ended; undefined before the first and while one is held. */
  gapSince: number | undefined;
  longestMs: number;
  started: boolean;
  enabled: boolean;
}

/**
 * The longest time that each scale set was without a held poll, from its first poll on. Keyed by
 * name, so that a set that is deleted and created again keeps its record.
 */
export class PollGaps {
  readonly #clock: Clock;
  readonly #tracks = new Map<string, Track>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  held(key: string): void {
    const track = this.#track(key);
    if (track.enabled) this.#close(track);
    track.gapSince = undefined;
    track.held += 1;
    track.started = true;
  }

  released(key: string): void {
    const track = this.#track(key);
    track.held -= 1;
    if (track.held === 0) track.gapSince = this.#clock.monotonic();
  }

  /** Stops measuring, keeping what was measured, or goes on from now. */
  setTracking(key: string, enabled: boolean): void {
    const track = this.#track(key);
    if (track.enabled === enabled) return;
    if (track.enabled) this.#close(track);
    track.enabled = enabled;
    if (track.started && track.held === 0) track.gapSince = this.#clock.monotonic();
  }

  keys(): string[] {
    return [...this.#tracks.keys()];
  }

  /** The longest gap of every set so far, one still open included. */
  report(): Record<string, number> {
    const entries = [...this.#tracks].map(([key, track]) => [key, this.#longest(track)] as const);
    return Object.fromEntries(entries);
  }

  #longest(track: Track): number {
    if (!track.enabled || track.gapSince === undefined) return Math.round(track.longestMs);
    return Math.round(Math.max(track.longestMs, this.#clock.monotonic() - track.gapSince));
  }

  #close(track: Track): void {
    track.longestMs = Math.max(track.longestMs, this.#longest(track));
  }

  #track(key: string): Track {
    const known = this.#tracks.get(key);
    if (known) return known;
    const track = { held: 0, gapSince: undefined, longestMs: 0, started: false, enabled: true };
    this.#tracks.set(key, track);
    return track;
  }
}
