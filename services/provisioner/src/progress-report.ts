import { type Runner, runnerKey } from '@baton/shared/contracts';
import { notNeeded } from '@baton/shared/time';
import type { CreateDeps } from './create-deps.ts';

type ReportDeps = Pick<CreateDeps, 'runners' | 'clock' | 'log' | 'holder'>;

/** The record is written at most this often, in ms; the log has every word. */
const everyMs = 5_000;

/** Tells how far a long create is: in the log, and in the record, where operators look. */
export class ProgressReport {
  readonly #deps: ReportDeps;
  readonly #runner: Runner;
  readonly #ended = new AbortController();
  #latest: string | undefined;
  #writing = false;

  constructor(deps: ReportDeps, runner: Runner) {
    this.#deps = deps;
    this.#runner = runner;
  }

  /** Never throws, and keeps nobody waiting. */
  say(text: string): void {
    if (this.#ended.signal.aborted) return;
    const { scaleSetId, runnerId } = this.#runner;
    this.#deps.log.info({ scaleSetId, runnerId, text }, 'runner is being created');
    this.#latest = text;
    if (!this.#writing) void this.#write();
  }

  /** What comes later is not written any more. */
  end(): void {
    this.#ended.abort(notNeeded);
  }

  async #write(): Promise<void> {
    const { clock, log } = this.#deps;
    const { signal } = this.#ended;
    this.#writing = true;
    try {
      while (this.#latest !== undefined && !signal.aborted) {
        const text = this.#latest;
        this.#latest = undefined;
        await this.#writeRecord(text);
        await clock.sleep(everyMs, signal);
      }
    } catch (err) {
      if (!signal.aborted)
        log.debug({ runnerId: this.#runner.runnerId, err }, 'no progress written');
    }
    this.#writing = false;
  }

  /** Lost when somebody else writes at the same moment: the next word is not far. */
  async #writeRecord(progress: string): Promise<void> {
    const { runners, holder } = this.#deps;
    const key = runnerKey(this.#runner.scaleSetId, this.#runner.runnerId);
    const entry = await runners.get(key);
    const isOurs = entry?.value.creator?.incarnation === holder.incarnation;
    if (!isOurs || entry.value.state !== 'creating') return;
    await runners.update(key, { ...entry.value, progress }, entry.revision);
  }
}
