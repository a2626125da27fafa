import { type Clock, notNeeded } from '@baton/shared/time';

interface WaitOptions {
  clock: Clock;
  maxMs: number;
  signal: AbortSignal;
}

/** Lets loops sleep until their scale set is mentioned, or a time has passed. */
export class Wakeups {
  readonly #ears = new Map<string, Set<Ear>>();

  /** Wakes everyone who waits for this scale set. */
  wake(scaleSetId: string): void {
    for (const ear of this.#ears.get(scaleSetId) ?? []) ear.wake();
  }

  /** Wakes everyone. */
  wakeAll(): void {
    for (const scaleSetId of this.#ears.keys()) this.wake(scaleSetId);
  }

  /** Hears every wake from now on, also while nobody waits; dispose of it in the end. */
  listen(scaleSetId: string): Ear {
    const ears = this.#ears.get(scaleSetId) ?? new Set();
    const ear: Ear = new Ear(() => {
      ears.delete(ear);
      if (ears.size === 0) this.#ears.delete(scaleSetId);
    });
    this.#ears.set(scaleSetId, ears.add(ear));
    return ear;
  }

  /** Resolves on `wake`, after `maxMs`, or when the signal is aborted; never rejects. */
  async waitFor(scaleSetId: string, options: WaitOptions): Promise<void> {
    using ear = this.listen(scaleSetId);
    await ear.wait(options);
  }
}

/** One loop's hearing: a wake between two waits ends the next one at once. */
class Ear implements Disposable {
  readonly #forget: () => void;
  #woken = false;
  #waking: AbortController | undefined;

  constructor(forget: () => void) {
    this.#forget = forget;
  }

  wake(): void {
    this.#woken = true;
    this.#waking?.abort(notNeeded);
  }

  /** Resolves on a wake since the last wait, after `maxMs`, or on abort; never rejects. */
  async wait({ clock, maxMs, signal }: WaitOptions): Promise<void> {
    if (!this.#woken) {
      this.#waking = new AbortController();
      // Woken or stopped: the caller looks for itself.
      await clock
        .sleep(maxMs, AbortSignal.any([signal, this.#waking.signal]))
        .catch(() => undefined);
      this.#waking = undefined;
    }
    this.#woken = false;
  }

  [Symbol.dispose](): void {
    this.#forget();
  }
}
