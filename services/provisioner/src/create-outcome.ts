import { ProviderError } from '@baton/providers';
import { type Runner, runnerKey, type Spec } from '@baton/shared/contracts';
import { TimeoutError } from '@baton/shared/errors';
import { observeRunner, transition } from '@baton/shared/runners';
import { isoNow } from '@baton/shared/time';
import { adopt, findInstance } from './adopt-instance.ts';
import {
  type CreateFailure,
  type CreateStage,
  type CreateVerdict,
  judgeCreateFailure,
  postponedForMs,
} from './core/create-failure.ts';
import type { CreateDeps } from './create-deps.ts';
import type { CreateResult } from './create-queue.ts';
import { type CreateTrace, tellPutOff } from './create-trace.ts';
import { failCreate } from './end-create.ts';
import type { ProviderGate } from './provider-gate.ts';

interface Ending {
  record: Runner;
  error: unknown;
  stage: CreateStage;
  tracing: CreateTrace;
  signal: AbortSignal;
}

/**
 * Whether a runner may be created now. Where its provider fails or is full, it is put off: nothing
 * has been claimed, and no JIT config used up, by then.
 */
export async function admitCreate(
  deps: CreateDeps,
  record: Runner,
  signal: AbortSignal,
): Promise<'go' | 'probe' | undefined> {
  // A provider that nobody configured fails where it is used.
  const gate = deps.gates.get(record.provider);
  if (!gate) return 'go';
  const admission = gate.breaker.admit(record.scaleSetId);
  if (typeof admission === 'object') {
    await keepWaiting(deps, record, admission.retryAtMs, admission.problem);
    return undefined;
  }
  const refusal = await askForRoom(gate, signal);
  if (refusal === undefined) return admission;
  if (admission === 'probe') gate.breaker.probed();
  const { failure, verdict } = judgeCreateFailure(refusal, 'before');
  deps.runnerMetrics.createFailed(record, failure.class);
  if (verdict.kind === 'postpone') {
    const waitMs = postponedForMs(verdict, record.postponed?.count ?? 0, deps.random);
    await keepWaiting(deps, record, deps.clock.now() + waitMs, textOf(failure));
  }
  return undefined;
}

/**
 * Puts off a runner that nobody has claimed. Who has claimed it in the meantime goes on: what is being
 * created must not be asked for again.
 */
async function keepWaiting(
  deps: CreateDeps,
  { scaleSetId, runnerId }: Runner,
  retryAtMs: number,
  reason: string,
): Promise<void> {
  const { runners, clock, log } = deps;
  const key = runnerKey(scaleSetId, runnerId);
  const entry = await runners.get(key);
  if (entry?.value.state !== 'requested') return;
  const retryAt = new Date(retryAtMs).toISOString();
  const put = transition(entry.value, { kind: 'postponed', retryAt, reason }, isoNow(clock));
  if (put.kind === 'refused') return;
  if ((await runners.update(key, put.runner, entry.revision)) === undefined) return;
  log.warn({ scaleSetId, runnerId, reason, retryAt }, 'create is put off');
  tellPutOff(entry.value, { reason, retryAt });
}

/** What stands against an instance more, dead ones counted: undefined when nothing does. */
async function askForRoom(gate: ProviderGate, signal: AbortSignal): Promise<unknown> {
  try {
    if (await gate.takeRoom()) return undefined;
    return new ProviderError('quota', 'the provider has no room for another instance');
  } catch (error) {
    signal.throwIfAborted();
    return error;
  }
}

/** Does what a failure asks for: put off, or given up; or neither, when the instance came up after all. */
export async function settleFailure(
  deps: CreateDeps,
  spec: Spec,
  { record, error, stage, tracing, signal }: Ending,
): Promise<CreateResult> {
  const { failure, verdict, blamesProvider } = judgeCreateFailure(error, stage);
  const { scaleSetId, provider } = record;
  if (blamesProvider) deps.gates.get(provider)?.breaker.createFailed(scaleSetId, textOf(failure));
  if (verdict.kind === 'postpone') {
    tracing.postponed(failure, await postpone(deps, record, failure, verdict));
    return 'held-back';
  }
  const isLate = stage === 'create' && error instanceof TimeoutError;
  if (isLate && (await adoptLate(deps, spec, record, signal))) {
    tracing.adopted();
    return 'held-back';
  }
  await failCreate(deps, record, failure);
  tracing.failed(failure, error);
  return 'held-back';
}

/** Whether the provider made the instance and merely did not say so in time. */
async function adoptLate(
  deps: CreateDeps,
  spec: Spec,
  record: Runner,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const instance = await findInstance(deps, record, signal);
    if (!instance || instance.state === 'exited') return false;
    await adopt(deps, spec, { record, instance, signal });
    return true;
  } catch (err) {
    signal.throwIfAborted();
    deps.log.warn({ runnerId: record.runnerId, err }, 'late instance could not be looked for');
    return false;
  }
}

/** Only after our own claim, which ends with this. Returns until when, in ISO 8601. */
async function postpone(
  deps: CreateDeps,
  record: Runner,
  failure: CreateFailure,
  verdict: CreateVerdict & { kind: 'postpone' },
): Promise<string> {
  const waitMs = postponedForMs(verdict, record.postponed?.count ?? 0, deps.random);
  const retryAt = new Date(deps.clock.now() + waitMs).toISOString();
  const { scaleSetId, runnerId } = record;
  const reason = textOf(failure);
  deps.log.warn({ scaleSetId, runnerId, reason, retryAt }, 'create is put off');
  await observeRunner(deps, record, { kind: 'postponed', retryAt, reason });
  return retryAt;
}

function textOf({ class: kind, text }: CreateFailure): string {
  return `${kind}: ${text}`;
}
