import type { ComputeProvider } from '@baton/providers';
import { streams, sweepConfirmationKey, sweepKey } from '@baton/shared/contracts';
import { LeaseStore } from '@baton/shared/lease';
import { type Nats, Publisher } from '@baton/shared/messaging';
import {
  copyRunners,
  openLeases,
  openRunners,
  openSpecs,
  openSweepConfirmations,
  openSweeps,
} from '@baton/shared/stores';
import { silentLogger } from '@baton/shared/telemetry';
import { type Clock, systemClock } from '@baton/shared/time';
import { storedMessages } from '@baton/testkit';
import { Bench } from '../../testing/bench.ts';
import { anySweep } from '../any-sweep.ts';
import { partsOf, type SweepPart } from '../parts.ts';
import { recordedRun } from '../recorded-run.ts';
import type { Led } from '../run-sweep.ts';
import type { Sweep } from '../sweep.ts';
import { type LeaderDeps, SweepLeader } from '../sweep-leader.ts';
import { SweepMetrics } from '../sweep-metrics.ts';
import type { SweepResult } from '../sweep-run.ts';
import { Turns } from '../turns.ts';
import { Views } from '../views.ts';

interface SweeperOptions {
  providers?: ReadonlyMap<string, ComputeProvider>;
  clock?: Clock;
  /** Where to connect instead: a proxy before the server. */
  url?: string;
  batch?: number;
  max?: number;
  timeoutMs?: number;
  everyMs?: number;
  leaseTtlMs?: number;
}

export interface Sweeper extends LeaderDeps {
  nats: Nats;
  providers: ReadonlyMap<string, ComputeProvider>;
}

/** What sweeps run in: NATS, GitHub (simulated), processes, as the janitor's other tests have them. */
export class SweepBench implements AsyncDisposable {
  readonly bench: Bench;
  readonly #admin: Nats;
  #sweepers = 0;

  private constructor(bench: Bench, admin: Nats) {
    this.bench = bench;
    this.#admin = admin;
  }

  static async start(): Promise<SweepBench> {
    const bench = await Bench.start();
    return new SweepBench(bench, await bench.nats.connect('admin'));
  }

  /** A janitor with a connection of its own, as far as sweeps go. */
  async sweeper(options: SweeperOptions = {}): Promise<Sweeper> {
    const { clock = this.bench.clock, url, timeoutMs = 60_000 } = options;
    const nats = await this.bench.nats.connect('janitor', url === undefined ? {} : { url });
    const [specs, runners] = await Promise.all([openSpecs(nats), openRunners(nats)]);
    const log = silentLogger();
    const instance = `sweeper-${++this.#sweepers}`;
    const holder = { v: 1 as const, identity: instance, incarnation: instance };
    const random = () => 0.5;
    const ttlMs = options.leaseTtlMs ?? 10_000;
    const reading = {
      specs,
      copy: copyRunners(nats, runners),
      providers: options.providers ?? new Map([['local', this.bench.provider]]),
      github: () => this.bench.github(),
      clock,
    };
    const { signal } = new AbortController();
    return {
      ...reading,
      nats,
      runners,
      publisher: new Publisher(nats, log),
      log,
      instance,
      views: new Views({ ...reading, installationId: 'test', signal }),
      turns: new Turns(clock),
      limits: { max: options.max ?? 10, share: 0.3 },
      batch: options.batch ?? 500,
      newId: () => `hold-${Math.random()}`,
      sweeps: await openSweeps(nats),
      confirmations: await openSweepConfirmations(nats),
      metrics: new SweepMetrics(clock),
      leases: new LeaseStore({
        ...{ bucket: await openLeases(nats), holder, ttlMs, random, log },
        clock: systemClock,
      }),
      random,
      everyMs: { usual: options.everyMs ?? 60_000, github: options.everyMs ?? 300_000 },
      timeoutMs,
      phaseMs: 0,
    };
  }

  /** The first part of the sweep that the sweeper may lead. */
  partOf<M>(sweeper: Sweeper, sweep: Sweep<M>): SweepPart {
    const [part] = partsOf([anySweep(sweep)], sweeper.providers);
    if (!part) throw new Error('no part');
    return part;
  }

  /** A leadership without a lease, that begins now. */
  led<M>(sweeper: Sweeper, sweep: Sweep<M>): Led {
    const part = this.partOf(sweeper, sweep);
    return { part, memory: part.sweep.begin(), seen: new Map() };
  }

  async run(
    sweeper: LeaderDeps,
    led: Led,
    { dryRun = false, signal = new AbortController().signal } = {},
  ): Promise<SweepResult> {
    return await recordedRun(sweeper, led, { dryRun, signal, lead: signal });
  }

  leader<M>(sweeper: Sweeper, sweep: Sweep<M>): SweepLeader {
    return new SweepLeader(sweeper, this.partOf(sweeper, sweep));
  }

  async state({ part: { sweep, hostId } }: { part: SweepPart }) {
    const sweeps = await openSweeps(this.#admin);
    return (await sweeps.get(sweepKey(sweep.name, hostId)))?.value;
  }

  /** Has nothing stand of earlier tests: no record of a runner, no lease, nothing about sweeps. */
  async clear(): Promise<void> {
    const { runners } = this.bench;
    for (const { key, revision } of await runners.list()) await runners.delete(key, revision);
    const sweeps = await openSweeps(this.#admin);
    for (const { key, revision } of await sweeps.list('state')) await sweeps.delete(key, revision);
    const leases = await openLeases(this.#admin);
    for (const { key, revision } of await leases.list('sweep')) await leases.delete(key, revision);
  }

  /** As the CLI does. */
  async confirm({ part: { sweep, hostId } }: { part: SweepPart }, holdId: string): Promise<void> {
    const confirmations = await openSweepConfirmations(this.#admin);
    const at = new Date().toISOString();
    const key = sweepConfirmationKey(sweep.name, hostId);
    await confirmations.put(key, { v: 1, holdId, by: 'operator ann', at });
  }

  /** The types of all events of janitors about sweeps. */
  async sweepEvents(): Promise<string[]> {
    const stored = await storedMessages(this.#admin, streams.events);
    return stored
      .map(({ data }) => String(Reflect.get(Object(data), 'type')))
      .filter((type) => type.startsWith('sweep.'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bench[Symbol.asyncDispose]();
  }
}
