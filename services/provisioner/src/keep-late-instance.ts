import { type Runner, runnerKey } from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import { observeRunner, withoutSpan } from '@baton/shared/runners';
import { mintSpan } from '@baton/shared/telemetry';
import { isoNow } from '@baton/shared/time';
import type { CreateDeps } from './create-deps.ts';

const maxAttempts = 20;

/**
 * Keeps an instance from being forgotten that a provider made after its runner was given up. While
 * the runner's record is there it gets the instance's id, and the janitor, which has it to delete,
 * looks for the instance again. When the record is gone already it comes back as one that is marked.
 * Safe to repeat; never rejects. When this process ends first, the provider's list still shows it.
 */
export async function keepLateInstance(
  deps: CreateDeps,
  record: Runner,
  instanceId: string,
): Promise<void> {
  const { log } = deps;
  const { scaleSetId, runnerId } = record;
  log.warn({ scaleSetId, runnerId, instanceId }, 'instance was made after its runner was given up');
  try {
    const made = { kind: 'created', instanceId, githubRunnerId: undefined } as const;
    const observed = await observeRunner(deps, record, made);
    if (observed && (await reopenDeletion(deps, record))) return;
    await writeMarked(deps, record, instanceId);
  } catch (err) {
    log.error({ scaleSetId, runnerId, instanceId, err }, 'late instance could not be written down');
  }
}

/**
 * A deletion that found no instance before this one was made has one to delete now, however often the
 * janitor writes meanwhile. False when the record is gone.
 */
async function reopenDeletion(
  { runners }: CreateDeps,
  { scaleSetId, runnerId }: Runner,
): Promise<boolean> {
  const key = runnerKey(scaleSetId, runnerId);
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const entry = await runners.get(key);
    if (!entry) return false;
    const { deletion } = entry.value;
    if (!deletion?.instanceDeleted) return true;
    const open = { ...entry.value, deletion: { ...deletion, instanceDeleted: false } };
    if ((await runners.update(key, open, entry.revision)) !== undefined) return true;
  }
  throw new AppError('conflict', `runner ${key} is written by others all the time`);
}

async function writeMarked(
  { runners, clock, instance }: CreateDeps,
  record: Runner,
  instanceId: string,
): Promise<void> {
  const { scaleSetId, runnerId } = record;
  const at = isoNow(clock);
  await runners.create(runnerKey(scaleSetId, runnerId), {
    ...record,
    ...followUp(record),
    state: 'marked',
    stateAt: at,
    instanceId,
    failure: { class: 'timeout', text: 'its instance was made after the runner was given up' },
    mark: { reason: 'create-failed', gate: 'github', by: `provisioner ${instance}`, at },
  });
}

/** The life that ended with the record is told; this one follows from it, and was not created here. */
function followUp(record: Runner): Pick<Runner, 'creator' | 'traceparent' | 'tracedFrom'> {
  const { traceparent } = record;
  if (traceparent === undefined) return {};
  return { traceparent: mintSpan(traceparent), tracedFrom: traceparent, ...withoutSpan(record) };
}
