import type { ComputeProvider, CreateRequest } from '@baton/providers';
import { type Runner, runnerKey, type Spec } from '@baton/shared/contracts';
import { runnerAttributes } from '@baton/shared/runners';
import { inSpan } from '@baton/shared/telemetry';
import { withDeadline } from '@baton/shared/time';
import { type CreateDeps, createTimeoutOf, providerOf } from './create-deps.ts';
import { finishCreate } from './end-create.ts';
import { keepLateInstance } from './keep-late-instance.ts';
import type { Minted } from './mint-jit-config.ts';
import { ProgressReport } from './progress-report.ts';

/**
 * Has the provider make the instance, within its deadline, and writes it down. Undefined when the
 * runner was given up in the meantime. What a provider makes after its deadline all the same is kept
 * for the janitor.
 */
export async function createInstance(
  deps: CreateDeps,
  spec: Spec,
  { record, jit }: Minted,
  signal: AbortSignal,
): Promise<{ instanceId: string } | undefined> {
  const { runners, gates } = deps;
  const provider = providerOf(deps, record);
  // A process that was frozen here must not create what has been given up in the meantime.
  const current = await runners.get(runnerKey(record.scaleSetId, record.runnerId));
  if (current?.value.state !== 'creating' || current.value.name !== record.name) return undefined;
  const progress = new ProgressReport(deps, record);
  const request: CreateRequest = {
    runnerId: record.runnerId,
    runnerName: record.name,
    scaleSetId: record.scaleSetId,
    installationId: record.installationId,
    generation: record.generation,
    jitConfig: jit.encodedJitConfig,
    settings: spec.declaration.settings,
    progress: (text) => progress.say(text),
  };
  const gate = gates.get(record.provider);
  try {
    const making = { attributes: runnerAttributes(record) };
    const { instanceId } = await inSpan('create instance', making, () =>
      withinDeadline(deps, { provider, record, request }, signal),
    );
    gate?.breaker.createSucceeded();
    await finishCreate(deps, record, { instanceId, githubRunnerId: jit.runner.id }, signal);
    return { instanceId };
  } finally {
    progress.end();
  }
}

async function withinDeadline(
  deps: CreateDeps,
  {
    provider,
    record,
    request,
  }: { provider: ComputeProvider; record: Runner; request: CreateRequest },
  signal: AbortSignal,
): Promise<{ instanceId: string }> {
  const timeoutMs = createTimeoutOf(deps, record);
  let over = false;
  const deadline = { clock: deps.clock, timeoutMs, what: 'create instance', signal };
  try {
    return await withDeadline(deadline, async (within) => {
      const made = await provider.create(request, within);
      if (over) await keepLateInstance(deps, record, made.instanceId);
      return made;
    });
  } finally {
    over = true;
  }
}
