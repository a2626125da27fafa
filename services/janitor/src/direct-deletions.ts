import type { Runner } from '@baton/shared/contracts';
import { type DeleteDeps, deleteRunner } from './delete-runner.ts';

interface DirectDeletionsOptions {
  deps: DeleteDeps;
  /** How many run at once. */
  concurrency: number;
  /** Ends deletions that are under way. */
  signal: AbortSignal;
}

/**
 * Deletions that this process does without a command, because a command would reach any host. What
 * finds no room is left to the next pass, and so is what fails.
 */
export class DirectDeletions {
  readonly #options: DirectDeletionsOptions;
  readonly #running = new Map<string, Promise<void>>();

  constructor(options: DirectDeletionsOptions) {
    this.#options = options;
  }

  /** Begins to delete the runner, unless that is under way. Returns at once, never throws. */
  start(runner: Runner): void {
    const { runnerId } = runner;
    if (this.#running.has(runnerId) || this.#running.size >= this.#options.concurrency) return;
    this.#running.set(
      runnerId,
      this.#delete(runner).finally(() => this.#running.delete(runnerId)),
    );
  }

  /** Resolves when none is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #delete({ scaleSetId, runnerId, traceparent }: Runner): Promise<void> {
    const { deps, signal } = this.#options;
    try {
      await deleteRunner(deps, { v: 1, scaleSetId, runnerId, traceparent }, signal);
    } catch (err) {
      deps.log.warn({ scaleSetId, runnerId, err }, 'deletion was cut short, the next pass tries');
    }
  }
}
