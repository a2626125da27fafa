import { AdminApi } from './admin-api.ts';
import {
  generateJitConfigCall,
  getRunnerCall,
  listRunnersCall,
  type RemoveRunnerResult,
  removeRunnerCall,
} from './calls-runner.ts';
import {
  createScaleSetCall,
  deleteScaleSetCall,
  findRunnerGroupCall,
  findScaleSetCall,
  getScaleSetCall,
  type ScaleSetSpec,
  updateScaleSetCall,
} from './calls-scale-set.ts';
import {
  type AcquirableJob,
  acquirableJobsCall,
  createSessionCall,
  type DeleteSessionResult,
  deleteSessionCall,
  refreshSessionCall,
} from './calls-session.ts';
import type { JitConfig, Runner, RunnerGroup, ScaleSet, Session } from './schemas.ts';
import type { Tokens } from './token-source.ts';
import type { CallOptions, GitHubTransport } from './transport.ts';

/**
 * The admin calls for the scale sets, sessions and runners of one config URL.
 *
 * Every call ends within `adminTimeoutMs`, takes a signal, and fails with `GitHubApiError` (or
 * `ConfigError` for a credential that cannot be used). Reads are retried for a short while; the
 * others are sent once, so after `unavailable` their effect is unknown: look before doing it again.
 * Paths and shapes: actions/scaleset, client.go; error answers: measured (protocol.md, section 5).
 */
export class ScaleSetClient {
  readonly #api: AdminApi;

  constructor(options: { transport: GitHubTransport; tokens: Tokens }) {
    this.#api = new AdminApi(options);
  }

  /** The scale set of that name in that group, or undefined. */
  async findScaleSet(
    runnerGroupId: number,
    name: string,
    options?: CallOptions,
  ): Promise<ScaleSet | undefined> {
    return byName(await this.#api.call(findScaleSetCall(runnerGroupId, name), options), name);
  }

  /** Fails with `scale-set-not-found` when it was deleted. */
  getScaleSet(scaleSetId: number, options?: CallOptions): Promise<ScaleSet> {
    return this.#api.call(getScaleSetCall(scaleSetId), options);
  }

  /** Fails with `scale-set-exists` when the name is taken, which makes repeating it safe. */
  createScaleSet(spec: ScaleSetSpec, options?: CallOptions): Promise<ScaleSet> {
    return this.#api.call(createScaleSetCall(spec), options);
  }

  /** Changes what `changes` names. Idempotent. */
  updateScaleSet(
    scaleSetId: number,
    changes: Partial<ScaleSetSpec>,
    options?: CallOptions,
  ): Promise<ScaleSet> {
    return this.#api.call(updateScaleSetCall(scaleSetId, changes), options);
  }

  /** Deletes the scale set **with all jobs bound to it**. One that is gone is success. */
  deleteScaleSet(scaleSetId: number, options?: CallOptions): Promise<void> {
    return this.#api.call(deleteScaleSetCall(scaleSetId), options);
  }

  /** The runner group of that name, or undefined. The default group has the id 1. */
  async findRunnerGroup(name: string, options?: CallOptions): Promise<RunnerGroup | undefined> {
    return byName(await this.#api.call(findRunnerGroupCall(name), options), name);
  }

  /**
   * Opens the one session of a scale set. `session-conflict` when there is one already, ours or
   * not, which `ownerText` may tell; asking again does not prolong it. `degraded` when GitHub
   * answers without a queue: not a session, try again (`info.sessionId` is what it opened).
   */
  createSession(scaleSetId: number, ownerName: string, options?: CallOptions): Promise<Session> {
    return this.#api.call(createSessionCall(scaleSetId, ownerName), options);
  }

  /** A fresh queue token for a session, also one of another process. `session-gone` when evicted. */
  refreshSession(scaleSetId: number, sessionId: string, options?: CallOptions): Promise<Session> {
    return this.#api.call(refreshSessionCall(scaleSetId, sessionId), options);
  }

  /**
   * Ends a session, also one of another process. Repeating it is safe. `gone` is GitHub's word for
   * that id only: the next `createSession` was seen to conflict all the same.
   */
  deleteSession(
    scaleSetId: number,
    sessionId: string,
    options?: CallOptions,
  ): Promise<DeleteSessionResult> {
    return this.#api.call(deleteSessionCall(scaleSetId, sessionId), options);
  }

  /** Jobs that wait to be acquired (Enterprise Server): also those whose offer was lost. */
  acquirableJobs(scaleSetId: number, options?: CallOptions): Promise<AcquirableJob[]> {
    return this.#api.call(acquirableJobsCall(scaleSetId), options);
  }

  /**
   * Registers a runner and returns what it starts with. `runner-exists` when the name is taken,
   * perhaps by an earlier try whose answer was lost: choose another name.
   */
  generateJitConfig(
    scaleSetId: number,
    runner: { name: string; workFolder: string },
    options?: CallOptions,
  ): Promise<JitConfig> {
    return this.#api.call(generateJitConfigCall(scaleSetId, runner), options);
  }

  /** The runner, or undefined when GitHub has none with that id. */
  getRunner(runnerId: number, options?: CallOptions): Promise<Runner | undefined> {
    return this.#api.call(getRunnerCall(runnerId), options);
  }

  /** The runner of that name, or undefined. */
  async findRunnerByName(name: string, options?: CallOptions): Promise<Runner | undefined> {
    return byName(await this.#api.call(listRunnersCall(name), options), name);
  }

  /** All runners of the config URL, also those of other scale sets. */
  listRunners(options?: CallOptions): Promise<Runner[]> {
    return this.#api.call(listRunnersCall(), options);
  }

  /**
   * Takes a runner off GitHub's list; repeating it is safe. `removed` may also mean that it was
   * gone before (measured: GitHub answers 204 to both).
   */
  removeRunner(runnerId: number, options?: CallOptions): Promise<RemoveRunnerResult> {
    return this.#api.call(removeRunnerCall(runnerId), options);
  }
}

/** Names are compared without case, as GitHub does when it refuses a name that is taken. */
function byName<T extends { name: string }>(items: readonly T[], name: string): T | undefined {
  return items.find((item) => item.name.toLowerCase() === name.toLowerCase());
}
