import type { Clock } from '@baton/shared/time';

/** Lets loops sleep until their scale set is mentioned, or a time has passed. */
export class Wakeups {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Wakes everyone who waits for this scale set. */
  wake(scaleSetId: string): void {
    for (const wake of this.#waiting.get(scaleSetId) ?? []) wake();
  }

  /** Resolves on `wake`, after `maxMs`, or when the signal is aborted; never rejects. */
  async waitFor(
    scaleSetId: string,
    { clock, maxMs, signal }: { clock: Clock; maxMs: number; signal: AbortSignal },
  ): Promise<void> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const wake = () => over.abort();
    const waiting = this.#waiting.get(scaleSetId) ?? new Set();
    this.#waiting.set(scaleSetId, waiting.add(wake));
    try {
      await clock.sleep(maxMs, either);
    } catch {
      // Woken or stopped: the caller looks for itself.
    } finally {
      waiting.delete(wake);
      if (waiting.size === 0) this.#waiting.delete(scaleSetId);
    }
  }
}
