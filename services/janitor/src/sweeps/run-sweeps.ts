import { randomBytes } from 'node:crypto';
import { LeaseStore } from '@baton/shared/lease';
import type { Runtime } from '@baton/shared/lifecycle';
import type { Nats } from '@baton/shared/messaging';
import type { Random } from '@baton/shared/retry';
import { openLeases, openSweepConfirmations, openSweeps } from '@baton/shared/stores';
import type { SweepConfig } from '../config.ts';
import type { ActDeps } from './act.ts';
import type { AnySweep } from './any-sweep.ts';
import { partsOf } from './parts.ts';
import { answerSweeps } from './sweep-answers.ts';
import { SweepLeader } from './sweep-leader.ts';
import { SweepMetrics } from './sweep-metrics.ts';
import { Turns } from './turns.ts';
import { type ViewDeps, Views } from './views.ts';

interface SweepsOptions {
  nats: Nats;
  sweeps: readonly AnySweep[];
  config: SweepConfig;
  runtime: Pick<Runtime, 'signal' | 'metrics' | 'incarnation'>;
  random: Random;
}

/** Contends for the sweeps, runs those that it leads, and answers for them, until the process drains. */
export async function runSweeps(
  deps: Omit<ActDeps & ViewDeps, 'signal'>,
  { nats, sweeps, config, runtime, random }: SweepsOptions,
): Promise<void> {
  const { clock, log, instance, providers } = deps;
  const { signal, incarnation } = runtime;
  const holder = { v: 1 as const, identity: instance, incarnation };
  const bucket = await openLeases(nats);
  const metrics = new SweepMetrics(clock);
  runtime.metrics.add(...metrics.sources);
  const leading = {
    ...deps,
    sweeps: await openSweeps(nats),
    confirmations: await openSweepConfirmations(nats),
    leases: new LeaseStore({ bucket, holder, ttlMs: config.leaseTtlMs, clock, random, log }),
    metrics,
    views: new Views({ ...deps, signal }),
    turns: new Turns(clock),
    limits: { max: config.sweepMax, share: config.sweepShare / 100 },
    batch: config.sweepBatch,
    newId: () => randomBytes(4).toString('hex'),
    random,
    everyMs: { usual: config.sweepEveryMs, github: config.githubSweepEveryMs },
    timeoutMs: config.sweepTimeoutMs,
    phaseMs: random() * config.sweepEveryMs,
  };
  const leaders = partsOf(sweeps, providers).map((part) => new SweepLeader(leading, part));
  answerSweeps(nats, { leaders, instance, log });
  await Promise.all(leaders.map((leader) => leader.run(signal)));
}
