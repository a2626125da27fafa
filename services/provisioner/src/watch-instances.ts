import type { ComputeProvider, Instance } from '@baton/providers';
import type { Runner } from '@baton/shared/contracts';
import { repeat } from '@baton/shared/lifecycle';
import type { Random } from '@baton/shared/retry';
import {
  type Absences,
  judgeAbsence,
  type Observation,
  type Observed,
  observeRunner,
} from '@baton/shared/runners';
import type { Logger } from '@baton/shared/telemetry';
import { isoNow, withDeadline } from '@baton/shared/time';
import { judgeProblem } from './core/judge-problem.ts';
import { listRunners } from './list-runners.ts';
import type { LivingInstances } from './living-instances.ts';
import { type MarkDeps, markRunner } from './mark-runner.ts';
import type { Planner } from './planner.ts';
import { tellStep } from './tell-step.ts';

interface WatchDeps extends MarkDeps {
  planner: Planner;
  living?: LivingInstances;
  random: Random;
  log: Logger;
}

/** A provider as the configuration names it. */
interface Watched {
  name: string;
  provider: ComputeProvider;
}

/** A provider is looked at this often, in ms; one that is slow to answer, or asks for it, less often. */
const everyMs = 500;
const timeoutMs = 10_000;
/** The pause after a list, in times that the list took: so that listing is a small part of its load. */
const pausePerList = 10;
const longestPauseMs = 10_000;
/** Records are held against the list this often, in ms. */
const judgeEveryMs = 5_000;
/** A runner that got into its state later than this may not be listed yet, in ms. */
const listedAfterMs = 30_000;
/** An instance that is not listed any more is lost after this long, in ms. */
const patience = { ms: 10_000, mostMs: 60_000 };
const writeParallel = 32;

/**
 * Looks at the instances of a provider and writes into the runners' records what it sees, until the
 * signal is aborted: ends, what keeps an instance from coming up, and instances that are gone although
 * nobody saw them end. Several provisioners may watch one provider. Instances without a record are
 * counted for the planner, and adopted by janitors.
 */
export async function watchInstances(
  deps: WatchDeps,
  watched: Watched,
  signal: AbortSignal,
): Promise<void> {
  const watch = new InstanceWatch(deps, watched);
  await repeat({ ...deps, what: `instances of ${watched.name}`, everyMs, signal }, () =>
    watch.look(signal),
  );
}

class InstanceWatch {
  readonly #deps: WatchDeps;
  readonly #watched: Watched;
  /** What was written, by instance; forgotten when it is gone. */
  #written = new Map<string, string>();
  /** Since when an instance has had a problem. */
  #troubled = new Map<string, number>();
  #absences: Absences = new Map();
  #nextMs = 0;
  #judgeMs = 0;

  constructor(deps: WatchDeps, watched: Watched) {
    this.#deps = deps;
    this.#watched = watched;
  }

  async look(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const startMs = clock.monotonic();
    if (startMs < this.#nextMs) return;
    // Read before the list: whatever was there then and is not listed has gone.
    const records = startMs >= this.#judgeMs ? await this.#readRecords() : undefined;
    const instances = await this.#list(signal);
    this.#deps.living?.listed(this.#watched.name, instances);
    await this.#observeAll(instances);
    if (records) await this.#judge(records, instances);
  }

  async #list(signal: AbortSignal): Promise<Instance[]> {
    const { clock } = this.#deps;
    const { listEveryMs = 0, listTimeoutMs = timeoutMs } = this.#watched.provider;
    const startMs = clock.monotonic();
    try {
      const deadline = { clock, timeoutMs: listTimeoutMs, what: 'list instances', signal };
      return await withDeadline(deadline, (within) => this.#watched.provider.list(within));
    } finally {
      const nowMs = clock.monotonic();
      const pauseMs = Math.min((nowMs - startMs) * pausePerList, longestPauseMs);
      this.#nextMs = Math.max(startMs + listEveryMs, nowMs + pauseMs);
    }
  }

  async #observeAll(instances: readonly Instance[]): Promise<void> {
    const written = new Map<string, string>();
    const troubled = new Map<string, number>();
    const news: { instance: Instance; observation: Observation; text: string }[] = [];
    for (const instance of instances) {
      const { instanceId, problem, state } = instance;
      if (problem && state === 'starting') {
        troubled.set(instanceId, this.#troubled.get(instanceId) ?? this.#deps.clock.monotonic());
      }
      const observation = this.#observationOf(instance, troubled.get(instanceId));
      if (!observation) continue;
      const text = textOf(observation);
      if (this.#written.get(instanceId) === text) written.set(instanceId, text);
      else news.push({ instance, observation, text });
    }
    this.#troubled = troubled;
    const write = async ({ instance, observation, text }: (typeof news)[number]) => {
      if (await this.#write(instance, observation)) written.set(instance.instanceId, text);
    };
    for (let start = 0; start < news.length; start += writeParallel) {
      await Promise.all(news.slice(start, start + writeParallel).map(write));
    }
    this.#written = written;
  }

  #observationOf(instance: Instance, troubledMs: number | undefined): Observation | undefined {
    const { clock } = this.#deps;
    const { state, problem, exitCode: code } = instance;
    if (state === 'exited') {
      return { kind: 'exited', code, at: isoNow(clock), problem: problem?.text };
    }
    if (!problem || troubledMs === undefined) return undefined;
    const verdict = judgeProblem(problem, clock.monotonic() - troubledMs);
    return verdict === 'fail'
      ? { kind: 'failed', failure: { class: problem.class, text: problem.text } }
      : { kind: 'progress', text: problem.text };
  }

  /** Whether it was written; what cannot be is tried again and keeps nobody else waiting. */
  async #write(instance: Instance, observation: Observation): Promise<boolean> {
    const { log } = this.#deps;
    const { runnerId, scaleSetId, exitCode, problem } = instance;
    try {
      const observed = await observeRunner(this.#deps, instance, observation);
      if (observed && observation.kind !== 'progress') {
        const { kind } = observation;
        const said = { scaleSetId, runnerId, kind, exitCode, problem: problem?.text };
        log.info(said, 'end of an instance observed');
        tellStep(this.#deps, observed);
        this.#plan(observed);
      }
      return true;
    } catch (err) {
      log.warn({ scaleSetId, runnerId, err }, 'what was seen of an instance could not be written');
      return false;
    }
  }

  /** The records that should have an instance here. */
  async #readRecords(): Promise<Runner[]> {
    const { name, provider } = this.#watched;
    const nowMs = this.#deps.clock.now();
    return (await listRunners(this.#deps)).filter(
      ({ state, stateAt, instanceId, ...runner }) =>
        ['starting', 'idle', 'busy'].includes(state) &&
        instanceId !== undefined &&
        runner.provider === name &&
        runner.hostId === provider.hostId &&
        nowMs - Date.parse(stateAt) >= listedAfterMs,
    );
  }

  async #judge(records: readonly Runner[], instances: readonly Instance[]): Promise<void> {
    const { clock, log } = this.#deps;
    this.#judgeMs = clock.monotonic() + judgeEveryMs;
    const listed = new Set(instances.map(({ runnerId }) => runnerId));
    const look = {
      known: records.map(({ runnerId }) => runnerId),
      isListed: (id: string) => listed.has(id),
      nowMs: clock.monotonic(),
    };
    const { absences, gone } = judgeAbsence(this.#absences, look, patience);
    this.#absences = absences;
    const lost = new Set(gone);
    for (const runner of records.filter(({ runnerId }) => lost.has(runnerId))) {
      const { scaleSetId, runnerId, instanceId } = runner;
      log.warn({ scaleSetId, runnerId, instanceId }, 'instance of a runner is lost');
      const text = `provider ${this.#watched.name} does not list ${instanceId ?? 'it'} any more`;
      const observed = await observeRunner(this.#deps, runner, { kind: 'lost', text });
      if (!observed?.moved) continue;
      await markRunner(this.#deps, runner, { reason: 'lost', gate: 'github', text });
      this.#plan(observed);
    }
  }

  /** A place may be free now; when that cannot be planned the pass does it. */
  #plan({ moved, runner: { scaleSetId, completedIn } }: Observed): void {
    if (!moved && !completedIn) return;
    void this.#deps.planner.reconcile(scaleSetId).catch((err: unknown) => {
      this.#deps.log.debug({ scaleSetId, err }, 'not planned yet, the pass will');
    });
  }
}

/** What makes an observation another one than the last of its instance. */
function textOf(observation: Observation): string {
  return observation.kind === 'progress' ? observation.text : observation.kind;
}
