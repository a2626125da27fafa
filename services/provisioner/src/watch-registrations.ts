import type { GitHubClient } from '@baton/scaleset';
import type { Runner, Spec } from '@baton/shared/contracts';
import { errorText } from '@baton/shared/errors';
import {
  type Absences,
  type ObservationCounter,
  observeRunner,
  type RunnerChange,
} from '@baton/shared/runners';
import { listScaleSetIds, type RunnerStore, type SpecStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, withDeadline } from '@baton/shared/time';
import { judgeRegistrations, type RegistrationJudgement } from './core/judge-registrations.ts';
import { listRunners } from './list-runners.ts';
import { type MarkDeps, markRunner } from './mark-runner.ts';
import type { Planner } from './planner.ts';
import { SideBySide } from './side-by-side.ts';
import { tellStep } from './tell-step.ts';

export interface RegistrationDeps extends MarkDeps {
  specs: SpecStore;
  runners: RunnerStore;
  planner: Planner;
  github: (credential: string, configUrl: string) => GitHubClient;
  clock: Clock;
  log: Logger;
  observations?: ObservationCounter;
  onChange?: (change: RunnerChange) => void;
  /** GitHub is asked this often while runners live and none is starting, in ms. */
  githubLookEveryMs: number;
}

/** What one credential sees at one config URL: one list serves all scale sets of it. */
interface Scope {
  credential: string;
  configUrl: string;
  specs: Map<string, Spec>;
  runners: Runner[];
}

interface Known {
  /** When GitHub was asked last; of the monotonic clock, in ms. */
  askedMs: number;
  absences: Absences;
}

/** Messages say sooner what becomes of a runner that has been starting for less than this, in ms. */
const askAfterMs = 5_000;
const timeoutMs = 30_000;
const watched: readonly Runner['state'][] = ['starting', 'idle', 'busy'];

/**
 * Learns from GitHub's list of runners what messages have not told (they may be 50 s late, or lost):
 * who is online, who is busy, whom GitHub knows no more, and who has not come online in time. A list
 * that cannot be had decides nothing. Safe in any number of processes: what is seen is an observation,
 * what must go is marked with gate `github`.
 */
export class RegistrationWatch {
  readonly #deps: RegistrationDeps;
  readonly #scopes = new Map<string, Known>();
  readonly #asking: SideBySide;

  constructor(deps: RegistrationDeps) {
    this.#deps = deps;
    const { clock, log } = deps;
    const onError = (scope: string, err: unknown) =>
      log.warn({ scope, err }, "github's list of runners could not be read");
    this.#asking = new SideBySide({ clock, onError });
  }

  /**
   * Asks about every scope that is due: at each call while a runner of it is starting or missing,
   * otherwise only now and then. One that does not answer keeps no other waiting. `stop` ends what is
   * only asked; what was decided is carried out.
   */
  async look(stop: AbortSignal = this.#deps.signal): Promise<void> {
    const scopes = await this.#readScopes();
    for (const key of this.#scopes.keys()) if (!scopes.has(key)) this.#scopes.delete(key);
    await this.#asking.run(scopes.keys(), async (key) => {
      const scope = scopes.get(key);
      if (scope && this.#isDue(key, scope)) await this.#ask(key, scope, stop);
    });
  }

  /** Resolves when no answer is waited for any more. */
  async idle(): Promise<void> {
    await this.#asking.idle();
  }

  async #readScopes(): Promise<Map<string, Scope>> {
    const { specs } = this.#deps;
    const scopes = new Map<string, Scope>();
    const byScaleSet = new Map<string, Scope>();
    for (const { value: spec } of await specs.getMany(await listScaleSetIds(specs))) {
      const { credential, configUrl } = spec.declaration;
      const key = `${credential} ${configUrl}`;
      const scope = scopes.get(key) ?? { credential, configUrl, specs: new Map(), runners: [] };
      scope.specs.set(spec.scaleSetId, spec);
      scopes.set(key, scope);
      byScaleSet.set(spec.scaleSetId, scope);
    }
    for (const runner of await listRunners(this.#deps)) {
      if (watched.includes(runner.state)) byScaleSet.get(runner.scaleSetId)?.runners.push(runner);
    }
    return scopes;
  }

  #isDue(key: string, { runners }: Scope): boolean {
    const { clock, githubLookEveryMs } = this.#deps;
    if (runners.length === 0) return false;
    const known = this.#scopes.get(key);
    if (!known || known.absences.size > 0) return true;
    const starting = runners.some(
      ({ state, stateAt }) =>
        state === 'starting' && clock.now() - Date.parse(stateAt) > askAfterMs,
    );
    return starting || clock.monotonic() - known.askedMs >= githubLookEveryMs;
  }

  async #ask(key: string, scope: Scope, signal: AbortSignal): Promise<void> {
    const { clock, github } = this.#deps;
    const { credential, configUrl, specs, runners } = scope;
    const { client } = github(credential, configUrl);
    const askedAt = { nowMs: clock.now(), monotonicMs: clock.monotonic() };
    const known = this.#scopes.get(key);
    this.#scopes.set(key, { absences: known?.absences ?? new Map(), askedMs: askedAt.monotonicMs });
    const listed = await withDeadline(
      { clock, timeoutMs, what: 'list runners', signal },
      (within) => client.listRunners({ signal: within }),
    );
    const judgement = judgeRegistrations({
      runners,
      listed,
      absences: known?.absences ?? new Map(),
      deadlineMs: (id) => (specs.get(id)?.declaration.bootstrapTimeoutSeconds ?? 0) * 1_000,
      askedAt,
    });
    const proven = await this.#proven(client, judgement, signal);
    this.#scopes.set(key, { askedMs: askedAt.monotonicMs, absences: proven.absences });
    await this.#carryOut(proven);
  }

  /**
   * A list can be cut short. Who is to be replaced because it is not on it is asked about alone; when
   * GitHub knows one of them the list was wrong, and nobody is missing.
   */
  async #proven(
    client: GitHubClient['client'],
    judgement: RegistrationJudgement,
    signal: AbortSignal,
  ): Promise<RegistrationJudgement> {
    const { log } = this.#deps;
    for (const { runner, mark } of judgement.marked) {
      const { scaleSetId, runnerId, githubRunnerId } = runner;
      if (mark.reason !== 'unregistered' || githubRunnerId === undefined) continue;
      if ((await client.getRunner(githubRunnerId, { signal })) === undefined) continue;
      log.warn({ scaleSetId, runnerId }, "github's list of runners is not complete");
      const marked = judgement.marked.filter((one) => one.mark.reason !== 'unregistered');
      return { ...judgement, marked, absences: new Map() };
    }
    return judgement;
  }

  async #carryOut({ observed, marked }: RegistrationJudgement): Promise<void> {
    const { log, planner } = this.#deps;
    for (const { runner, observation } of observed) {
      tellStep(this.#deps, await observeRunner(this.#deps, runner, observation));
    }
    for (const { runner, mark } of marked) {
      const { scaleSetId, runnerId } = runner;
      const { reason, gate, text } = mark;
      log.warn({ scaleSetId, runnerId, reason, gate, text }, 'runner is replaced');
      await markRunner(this.#deps, runner, mark);
    }
    const scaleSets = new Set(marked.map(({ runner }) => runner.scaleSetId));
    for (const scaleSetId of scaleSets) {
      await planner.reconcile(scaleSetId).catch((error: unknown) => {
        log.warn({ scaleSetId, reason: errorText(error) }, 'not planned yet, the pass will');
      });
    }
  }
}
