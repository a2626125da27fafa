import type { SweepName } from '@baton/shared/contracts';
import { Counter, gauge, type Measurement, type NumberSource } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { SweepResult } from './sweep-run.ts';

interface Part {
  sweep: SweepName;
  hostId: string | undefined;
}

/** How a run ended: `problem`, something could not be looked at; `failed`, nothing could be decided. */
export type RunEnd = 'done' | 'problem' | 'failed';

interface Last {
  part: Part;
  /** Of the monotonic clock; when the run ended, or the part was taken up. */
  atMs: number;
  result: Pick<SweepResult, 'left' | 'hold'> | undefined;
}

/** What a process counts of the sweeps that it leads. */
export class SweepMetrics {
  readonly sources: NumberSource[];
  readonly #clock: Clock;
  readonly #led = new Map<string, Last>();
  readonly #runs = new Counter<'sweep' | 'result'>({
    name: 'baton_sweep_runs_total',
    help: 'Runs of sweeps, by how they ended.',
  });
  readonly #findings = new Counter<'sweep' | 'action'>({
    name: 'baton_sweep_findings_total',
    help: 'What sweeps did: marked, adopted, deregistered.',
  });

  constructor(clock: Clock) {
    this.#clock = clock;
    const last = () => [...this.#led.values()];
    this.sources = [
      this.#runs,
      this.#findings,
      gauge('baton_sweep_left', 'What the last run left alone, by why.', () =>
        last().flatMap(left),
      ),
      gauge('baton_sweep_held', 'Runners whose marks wait for "baton sweep confirm".', () =>
        last().map(({ part, result }) => ({
          value: result?.hold?.count ?? 0,
          labels: labelsOf(part),
        })),
      ),
      gauge('baton_sweep_last_run_seconds', 'Time since the last run that decided.', () =>
        last().map(({ part, atMs }) => ({
          value: (this.#clock.monotonic() - atMs) / 1_000,
          labels: labelsOf(part),
        })),
      ),
    ];
  }

  leads(part: Part): void {
    this.#led.set(keyOf(part), { part, atMs: this.#clock.monotonic(), result: undefined });
  }

  leadsNoMore(part: Part): void {
    this.#led.delete(keyOf(part));
  }

  ran(part: Part, end: RunEnd, result: SweepResult | undefined): void {
    const { sweep } = part;
    this.#runs.add({ sweep, result: end });
    if (!result) return;
    for (const [action, count] of Object.entries(result.acted))
      if (count > 0) this.#findings.add({ sweep, action }, count);
    const atMs = this.#clock.monotonic();
    if (this.#led.has(keyOf(part))) this.#led.set(keyOf(part), { part, atMs, result });
  }
}

function left({ part, result }: Last): Measurement[] {
  return Object.entries(result?.left ?? {}).map(([reason, value]) => ({
    value,
    labels: { ...labelsOf(part), reason },
  }));
}

function labelsOf({ sweep, hostId }: Part): Record<string, string> {
  return { sweep, ...(hostId === undefined ? {} : { host: hostId }) };
}

function keyOf({ sweep, hostId }: Part): string {
  return `${sweep} ${hostId ?? ''}`;
}
