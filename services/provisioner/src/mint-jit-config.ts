import type { Instance } from '@baton/providers';
import { type GitHubClient, isGitHubError, type JitConfig } from '@baton/scaleset';
import { nextRunnerName, type Runner, runnerKey, type Spec } from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import { runnerAttributes } from '@baton/shared/runners';
import { attributes, inSpan } from '@baton/shared/telemetry';
import { withDeadline } from '@baton/shared/time';
import { findInstance } from './adopt-instance.ts';
import type { CreateDeps } from './create-deps.ts';

/** A JIT config and the record of the runner that it is for, which may have got another name. */
export interface Minted {
  record: Runner;
  jit: JitConfig;
}

/** The runner runs already: its record is an old copy, from before it was made. */
interface Running {
  record: Runner;
  instance: Instance;
}

type Client = GitHubClient['client'];

/** So many names that are all taken are no coincidence. */
const mostNames = 3;

/**
 * Has GitHub give a JIT config for the runner. A name that is taken is given up for another: the
 * record has the new name before GitHub is asked for it, so that whoever carries on after a crash
 * knows the last name that may be registered. What an earlier attempt registered under the taken name
 * is removed first, as long as the record still has that name; unless the runner has an instance, which
 * is then to be adopted.
 *
 * Undefined when the record is not ours to go on with. Rejects with what GitHub refused with, or at
 * the deadline of GitHub's own; a config may then have been given all the same, and the next attempt
 * finds its name taken.
 */
export async function mintJitConfig(
  deps: CreateDeps,
  spec: Spec,
  claimed: Runner,
  signal: AbortSignal,
): Promise<Minted | Running | undefined> {
  const { clock, jitTimeoutMs: timeoutMs, declarations, github } = deps;
  const registration = await declarations.registration(claimed.scaleSetId);
  const githubScaleSetId = registration?.github?.scaleSetId;
  if (githubScaleSetId === undefined) throw notRegistered(claimed.scaleSetId);
  const { client } = github(spec.declaration.credential, spec.declaration.configUrl);
  const what = 'generate JIT config';
  return await inSpan('register runner', { attributes: runnerAttributes(claimed) }, (span) =>
    withDeadline({ clock, timeoutMs, what, signal }, async (within) => {
      let record: Runner | undefined = claimed;
      for (let attempt = 1; record; attempt += 1) {
        const jit = await generate(client, githubScaleSetId, record, attempt < mostNames, within);
        if (jit) return { record, jit };
        const instance = await findOwn(deps, record, within);
        if (instance) return { record, instance };
        await removeOwn(deps, client, { githubScaleSetId, record }, within);
        record = await rename(deps, record);
        span.event('name taken', { [attributes.runnerName]: record?.name });
      }
      return undefined;
    }),
  );
}

/** The config; undefined when the name is taken and another may be tried. */
async function generate(
  client: Client,
  githubScaleSetId: number,
  { name }: Runner,
  mayRename: boolean,
  signal: AbortSignal,
): Promise<JitConfig | undefined> {
  try {
    const runner = { name, workFolder: '_work' };
    return await client.generateJitConfig(githubScaleSetId, runner, { signal });
  } catch (error) {
    if (mayRename && isGitHubError(error, 'runner-exists')) return undefined;
    throw error;
  }
}

/** @throws AppError that is retryable, when it cannot be seen: nothing may be given up for that. */
async function findOwn(deps: CreateDeps, record: Runner, signal: AbortSignal) {
  try {
    return await findInstance(deps, record, signal);
  } catch (cause) {
    signal.throwIfAborted();
    const text = `${record.name} is taken, and its instance cannot be looked for`;
    throw new AppError('provider', text, { retryable: true, cause });
  }
}

/**
 * Removes a registration that an earlier attempt at this runner left: of our scale set, under the name
 * that only this record has had, and not online. One that GitHub believes busy lapses by itself.
 */
async function removeOwn(
  { log }: CreateDeps,
  client: Client,
  { githubScaleSetId, record }: { githubScaleSetId: number; record: Runner },
  signal: AbortSignal,
): Promise<void> {
  const { runnerId, name } = record;
  const found = await client.findRunnerByName(name, { signal });
  const isOurs = found?.scaleSetId === githubScaleSetId && found.status !== 'online';
  const removed = found && isOurs ? (await client.removeRunner(found.id, { signal })).kind : 'left';
  log.warn({ runnerId, runnerName: name, removed }, 'runner name is taken, another is tried');
}

/** Undefined when somebody else goes on with the runner. */
async function rename(
  { runners, holder, random }: CreateDeps,
  { scaleSetId, runnerId }: Runner,
): Promise<Runner | undefined> {
  const key = runnerKey(scaleSetId, runnerId);
  const entry = await runners.get(key);
  if (entry?.value.state !== 'creating') return undefined;
  if (entry.value.creator?.incarnation !== holder.incarnation) return undefined;
  const renamed = { ...entry.value, name: nextRunnerName(entry.value.name, random) };
  return (await runners.update(key, renamed, entry.revision)) === undefined ? undefined : renamed;
}

function notRegistered(scaleSetId: string): AppError {
  return new AppError('github', `${scaleSetId} is not registered at GitHub yet`, {
    retryable: true,
  });
}
