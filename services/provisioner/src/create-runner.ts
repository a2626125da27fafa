import type { ComputeProvider, Instance } from '@baton/providers';
import { ProviderError } from '@baton/providers';
import { type GitHubClient, isGitHubError, type JitConfig } from '@baton/scaleset';
import {
  eventSubject,
  type Runner,
  type RunnerCommand,
  runnerKey,
  type Spec,
} from '@baton/shared/contracts';
import { AppError, ConfigError, errorText } from '@baton/shared/errors';
import type { Holder, LivenessProber } from '@baton/shared/lease';
import { done, type Outcome, type Publisher, retryLater } from '@baton/shared/messaging';
import { isElsewhere, type Observation, observeRunner } from '@baton/shared/runners';
import type { RegistrationStore, RunnerStore, SpecStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isoNow, withDeadline } from '@baton/shared/time';
import type { Planner } from './planner.ts';

export interface CreateDeps {
  specs: SpecStore;
  registrations: RegistrationStore;
  runners: RunnerStore;
  providers: ReadonlyMap<string, ComputeProvider>;
  github: (credential: string, configUrl: string) => GitHubClient;
  publisher: Publisher;
  planner: Planner;
  clock: Clock;
  log: Logger;
  instance: string;
  /** Who we are, as a creator of runners. */
  holder: Holder;
  prober: LivenessProber;
  /** Runners that this process is creating right now. */
  inProgress: Set<string>;
  /** Longest time that a provider may take to create an instance, in ms. */
  createTimeoutMs: number;
}

/** A command for a runner that somebody else creates comes again after this time, in ms. */
const creatingMs = 1_000;
/** A create that GitHub could not serve is asked for again after this time, in ms. */
const githubRetryMs = 5_000;

/**
 * Creates the runner of a command: JIT config, instance, record.
 *
 * May run twice, and may end anywhere: the record says how far it came, and who creates it. When the
 * creator is gone, the instance is adopted if it exists; otherwise the runner is given up, because
 * its JIT config may have been used up, and the plan replaces it under a new name. What is being
 * created on another host is left to that host's pass.
 */
export async function createRunner(
  deps: CreateDeps,
  { scaleSetId, runnerId }: RunnerCommand,
  signal: AbortSignal,
): Promise<Outcome> {
  const record = (await deps.runners.get(runnerKey(scaleSetId, runnerId)))?.value;
  const spec = (await deps.specs.get(scaleSetId))?.value;
  if (!record || !spec) return done();
  if (record.state === 'creating') {
    if (isElsewhere(record, deps.providers.get(record.provider))) return done();
    if (!(await isAbandoned(deps, record))) return retryLater(creatingMs, 'it is being created');
    await adoptOrGiveUp(deps, spec, record, signal);
    return done();
  }
  if (record.state !== 'requested') return done();
  if (record.retryAt && Date.parse(record.retryAt) > deps.clock.now()) return done();
  if (deps.inProgress.has(runnerId)) return retryLater(creatingMs, 'it is being created');
  deps.inProgress.add(runnerId);
  try {
    await claimAndCreate(deps, spec, record, signal);
  } finally {
    deps.inProgress.delete(runnerId);
  }
  return done();
}

/**
 * Whether the creator is gone. How often the command was delivered says nothing about that: it may
 * have been asked for twice, and a nats-server that was killed forgets what it had delivered.
 */
async function isAbandoned(
  deps: CreateDeps,
  { creator, runnerId, stateAt }: Runner,
): Promise<boolean> {
  const { holder, inProgress, prober, clock, createTimeoutMs } = deps;
  if (creator?.incarnation === holder.incarnation) return !inProgress.has(runnerId);
  if (clock.now() - Date.parse(stateAt) > 2 * createTimeoutMs) return true;
  return creator !== undefined && prober.trustsSilence && (await prober.check(creator)) === 'dead';
}

async function adoptOrGiveUp(
  deps: CreateDeps,
  spec: Spec,
  record: Runner,
  signal: AbortSignal,
): Promise<void> {
  const provider = providerOf(deps, record);
  const { clock, createTimeoutMs: timeoutMs } = deps;
  const instances = await withDeadline(
    { clock, timeoutMs, what: 'list instances', signal },
    (within) => provider.list(within),
  );
  const instance = instances.find(({ runnerId }) => runnerId === record.runnerId);
  if (instance) return await adopt(deps, spec, record, instance, signal);
  await fail(deps, record, {
    class: 'interrupted',
    text: 'its creator ended before the instance was made',
  });
}

async function adopt(
  deps: CreateDeps,
  spec: Spec,
  record: Runner,
  { instanceId }: Instance,
  signal: AbortSignal,
): Promise<void> {
  const { client } = deps.github(spec.declaration.credential, spec.declaration.configUrl);
  // Unknown to GitHub means that it has run its job already: the id is then of no use to anyone.
  const registered = await client.findRunnerByName(record.name, { signal });
  deps.log.info(
    { runnerId: record.runnerId, instanceId },
    'instance of an interrupted create adopted',
  );
  await finish(deps, record, { kind: 'created', instanceId, githubRunnerId: registered?.id });
}

async function claimAndCreate(
  deps: CreateDeps,
  spec: Spec,
  requested: Runner,
  signal: AbortSignal,
): Promise<void> {
  const { clock, createTimeoutMs, holder: creator } = deps;
  const startedAt = clock.monotonic();
  const hostId = deps.providers.get(requested.provider)?.hostId;
  const claimed = await observeRunner(deps, requested, { kind: 'creating', creator, hostId });
  if (!claimed?.moved) return;
  const record = claimed.runner;
  try {
    const provider = providerOf(deps, record);
    const jit = await mintJitConfig(deps, spec, record, signal);
    if (!jit) return;
    // A process that was frozen here must not create what has been given up in the meantime.
    const current = await deps.runners.get(runnerKey(record.scaleSetId, record.runnerId));
    if (current?.value.state !== 'creating') return;
    const { instanceId } = await withDeadline(
      { clock, timeoutMs: createTimeoutMs, what: 'create instance', signal },
      (within) =>
        provider.create(
          {
            runnerId: record.runnerId,
            runnerName: record.name,
            scaleSetId: record.scaleSetId,
            installationId: record.installationId,
            generation: record.generation,
            jitConfig: jit.encodedJitConfig,
            settings: spec.declaration.settings,
            progress: (text) =>
              deps.log.info({ runnerId: record.runnerId, text }, 'runner is being created'),
          },
          within,
        ),
    );
    await finish(deps, record, { kind: 'created', instanceId, githubRunnerId: jit.runner.id });
    deps.log.info(
      {
        runnerId: record.runnerId,
        instanceId,
        durationMs: Math.round(clock.monotonic() - startedAt),
      },
      'runner created',
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AppError && (error.code === 'nats' || error.code === 'conflict'))
      throw error;
    await fail(deps, record, failureOf(error));
  }
}

/** The JIT config; undefined when GitHub cannot give one now and the record says when to ask again. */
async function mintJitConfig(
  deps: CreateDeps,
  spec: Spec,
  record: Runner,
  signal: AbortSignal,
): Promise<JitConfig | undefined> {
  const registration = (await deps.registrations.get(record.scaleSetId))?.value;
  const githubScaleSetId = registration?.github?.scaleSetId;
  try {
    if (githubScaleSetId === undefined) throw notRegistered(record.scaleSetId);
    const { client } = deps.github(spec.declaration.credential, spec.declaration.configUrl);
    return await client.generateJitConfig(
      githubScaleSetId,
      { name: record.name, workFolder: '_work' },
      { signal },
    );
  } catch (error) {
    signal.throwIfAborted();
    const passing = error instanceof AppError && error.retryable;
    if (!passing) throw error;
    const waitMs = isGitHubError(error) ? (error.retryAfterMs ?? githubRetryMs) : githubRetryMs;
    const retryAt = new Date(deps.clock.now() + waitMs).toISOString();
    deps.log.warn({ runnerId: record.runnerId, err: error, waitMs }, 'no JIT config for now');
    await observeRunner(deps, record, { kind: 'postponed', retryAt, reason: errorText(error) });
    return undefined;
  }
}

async function finish(
  deps: CreateDeps,
  record: Runner,
  created: Observation & { kind: 'created' },
) {
  const { publisher, clock, instance } = deps;
  const { scaleSetId, runnerId, name, traceparent } = record;
  await observeRunner(deps, record, created);
  await publisher.publishOnce(
    eventSubject('provisioner', scaleSetId, 'runner', 'created'),
    {
      v: 1,
      type: 'runner.created',
      scaleSetId,
      runnerId,
      runnerName: name,
      at: isoNow(clock),
      by: `provisioner ${instance}`,
    },
    { messageId: `created-${runnerId}`, traceparent },
  );
}

async function fail(deps: CreateDeps, record: Runner, failure: { class: string; text: string }) {
  const { log, planner } = deps;
  log.warn({ runnerId: record.runnerId, failure }, 'runner could not be created');
  await observeRunner(deps, record, { kind: 'failed', failure });
  await planner.reconcile(record.scaleSetId);
}

function failureOf(error: unknown): { class: string; text: string } {
  if (error instanceof ProviderError) return { class: error.class, text: error.message };
  if (isGitHubError(error)) return { class: error.kind, text: error.message };
  const code = error instanceof AppError ? error.code : 'unexpected';
  return { class: code, text: errorText(error) };
}

function providerOf({ providers }: CreateDeps, { provider: name }: Runner): ComputeProvider {
  const provider = providers.get(name);
  if (provider) return provider;
  throw new ConfigError(`provider "${name}" is not in BATON_PROVIDERS_FILE`);
}

function notRegistered(scaleSetId: string): AppError {
  return new AppError('conflict', `${scaleSetId} is not registered at GitHub yet`, {
    retryable: true,
  });
}
