import type { Runner, RunnerCommand, Spec } from '@baton/shared/contracts';
import { runnerKey } from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import { isElsewhere, observeRunner } from '@baton/shared/runners';
import { adopt, adoptIfThere, adoptOrGiveUp } from './adopt-instance.ts';
import type { CreateDeps } from './create-deps.ts';
import { createInstance } from './create-instance.ts';
import { admitCreate, settleFailure } from './create-outcome.ts';
import type { CreateResult } from './create-queue.ts';
import { CreateTrace } from './create-trace.ts';
import { isAbandoned } from './is-abandoned.ts';
import { mintJitConfig } from './mint-jit-config.ts';

export type { CreateDeps } from './create-deps.ts';

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
): Promise<CreateResult> {
  const { declarations, clock, inProgress } = deps;
  const record = await findRecord(deps, runnerKey(scaleSetId, runnerId));
  if (!record || inProgress.has(runnerId)) return 'nothing';
  const spec = await declarations.spec(scaleSetId, record.generation);
  if (!spec) return 'nothing';
  if (record.state === 'creating') {
    if (isElsewhere(record, deps.providers.get(record.provider))) return 'nothing';
    if (!(await isAbandoned(deps, record))) return 'nothing';
    return await alone(deps, runnerId, () => adoptOrGiveUp(deps, spec, record, signal));
  }
  if (record.state !== 'requested') return 'nothing';
  if (record.retryAt && Date.parse(record.retryAt) > clock.now()) return 'nothing';
  return await alone(deps, runnerId, () => createRequested(deps, spec, record, signal));
}

/**
 * The record, or the copy of one that waits to be created: it is claimed by compare-and-set, so that an
 * old copy is found out.
 */
async function findRecord({ runners, copy }: CreateDeps, key: string): Promise<Runner | undefined> {
  const copied = copy.lookup(key);
  if (copied.kind === 'found' && copied.value.state === 'requested') return copied.value;
  return (await runners.get(key))?.value;
}

/** One thing at a time happens to a runner in this process. */
async function alone(
  { inProgress }: CreateDeps,
  runnerId: string,
  work: () => Promise<CreateResult>,
): Promise<CreateResult> {
  if (inProgress.has(runnerId)) return 'nothing';
  inProgress.add(runnerId);
  try {
    return await work();
  } finally {
    inProgress.delete(runnerId);
  }
}

async function createRequested(
  deps: CreateDeps,
  spec: Spec,
  requested: Runner,
  signal: AbortSignal,
): Promise<CreateResult> {
  const breaker = deps.gates.get(requested.provider)?.breaker;
  const admitted = await admitCreate(deps, requested, signal);
  if (!admitted) return 'held-back';
  try {
    return await claimAndCreate(deps, spec, requested, signal);
  } finally {
    if (admitted === 'probe') breaker?.probed();
  }
}

async function claimAndCreate(
  deps: CreateDeps,
  spec: Spec,
  requested: Runner,
  signal: AbortSignal,
): Promise<CreateResult> {
  const tracing = new CreateTrace(deps, requested);
  const creator = { ...deps.holder, ...tracing.claim };
  const hostId = deps.providers.get(requested.provider)?.hostId;
  const claimed = await observeRunner(deps, requested, { kind: 'creating', creator, hostId });
  if (!claimed?.moved) return 'nothing';
  return await tracing.within(() =>
    createClaimed(deps, spec, { record: claimed.runner, tracing, signal }),
  );
}

/** Where the create is not ended by us, neither is its span: it is told of by who ends it. */
async function createClaimed(
  deps: CreateDeps,
  spec: Spec,
  {
    record: claimed,
    tracing,
    signal,
  }: { record: Runner; tracing: CreateTrace; signal: AbortSignal },
): Promise<CreateResult> {
  let record = claimed;
  let stage: 'mint' | 'create' = 'mint';
  try {
    if (await adoptIfThere(deps, spec, record, signal)) return tracing.adopted();
    const minted = await mintJitConfig(deps, spec, record, signal);
    if (!minted) return 'nothing';
    record = minted.record;
    if ('instance' in minted) {
      await adopt(deps, spec, { ...minted, signal });
      return tracing.adopted();
    }
    stage = 'create';
    const made = await createInstance(deps, spec, minted, signal);
    if (!made) return 'nothing';
    tracing.created(made.instanceId);
    return 'created';
  } catch (error) {
    signal.throwIfAborted();
    // The record could not be read or written: whoever looks at it next carries on.
    if (error instanceof AppError && (error.code === 'nats' || error.code === 'conflict'))
      throw error;
    return await settleFailure(deps, spec, { record, error, stage, tracing, signal });
  }
}
