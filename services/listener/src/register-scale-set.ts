import { createHash } from 'node:crypto';
import { isGitHubError, type ScaleSet, type ScaleSetClient } from '@baton/scaleset';
import type { Registration, Spec } from '@baton/shared/contracts';
import { AppError, ConfigError } from '@baton/shared/errors';
import type { RegistrationStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';

interface RegisterDeps {
  client: ScaleSetClient;
  registrations: RegistrationStore;
  log: Logger;
  /** Aborted when the lease is lost: only its holder registers. */
  signal: AbortSignal;
}

type AtGitHub = NonNullable<Registration['github']>;

const defaultGroupId = 1;

/**
 * Makes sure that the scale set exists at GitHub with its group and labels, and that the record says
 * which one it is. Repeating it changes nothing: the intent to create stands in the record before
 * the call, so that a scale set found after a crash is known as ours.
 * @throws ConfigError for a missing runner group, or a scale set that somebody else created.
 */
export async function registerScaleSet(deps: RegisterDeps, spec: Spec): Promise<AtGitHub> {
  const { client, signal } = deps;
  const record = await readRegistration(deps, spec.scaleSetId);
  const known = record?.github;
  const registered = registrationHash(spec);
  if (known?.registered === registered) return known;
  const runnerGroupId = await findGroup(deps, spec);
  const settings = { runnerGroupId, ...settingsOf(spec) };
  if (known) {
    await client.updateScaleSet(known.scaleSetId, settings, { signal });
    return await remember(deps, spec, { ...known, runnerGroupId, registered });
  }
  const found = await client.findScaleSet(runnerGroupId, spec.declaration.name, { signal });
  const ours = record?.creating === true;
  if (found && !ours && !spec.declaration.adopt) throw foreignScaleSet(spec);
  if (found) await client.updateScaleSet(found.id, settings, { signal });
  const { id: scaleSetId } = found ?? (await create(deps, spec, settings));
  const createdByUs = ours || !found;
  return await remember(deps, spec, { scaleSetId, runnerGroupId, createdByUs, registered });
}

/** The registration, or undefined when the scale set was never registered. */
export async function readRegistration(
  { registrations }: Pick<RegisterDeps, 'registrations'>,
  scaleSetId: string,
): Promise<Registration | undefined> {
  return (await registrations.get(scaleSetId))?.value;
}

/** The scale set is gone at GitHub, so that it is registered anew when it is needed. */
export async function forgetScaleSet(deps: RegisterDeps, spec: Spec): Promise<void> {
  await write(deps, spec, ({ github: _github, creating: _creating, ...record }) => record);
}

async function create(
  deps: RegisterDeps,
  spec: Spec,
  settings: ReturnType<typeof settingsOf> & { runnerGroupId: number },
): Promise<ScaleSet> {
  const { client, signal, log } = deps;
  await write(deps, spec, (record) => ({ ...record, creating: true }));
  try {
    const created = await client.createScaleSet(
      { name: spec.declaration.name, ...settings },
      { signal },
    );
    log.info({ githubScaleSetId: created.id }, 'scale set created');
    return created;
  } catch (error) {
    if (!isGitHubError(error, 'scale-set-exists')) throw error;
    await forgetScaleSet(deps, spec);
    throw foreignScaleSet(spec);
  }
}

async function findGroup({ client, signal }: RegisterDeps, spec: Spec): Promise<number> {
  const { group, configUrl } = spec.declaration;
  if (group.toLowerCase() === 'default') return defaultGroupId;
  const found = await client.findRunnerGroup(group, { signal });
  if (found) return found.id;
  throw new ConfigError(
    `runner group "${group}" does not exist at ${configUrl}: create it there, or change the group of the scale set`,
  );
}

async function remember(deps: RegisterDeps, spec: Spec, github: AtGitHub): Promise<AtGitHub> {
  await write(deps, spec, ({ creating: _creating, ...record }) => ({ ...record, github }));
  return github;
}

async function write(
  { registrations, signal }: RegisterDeps,
  { scaleSetId, installationId }: Spec,
  change: (record: Registration) => Registration,
): Promise<void> {
  signal.throwIfAborted();
  const found = await registrations.get(scaleSetId);
  const next = change(found?.value ?? { v: 1, installationId, scaleSetId });
  const revision = found
    ? await registrations.update(scaleSetId, next, found.revision)
    : await registrations.create(scaleSetId, next);
  if (revision !== undefined) return;
  throw new AppError(
    'conflict',
    `the registration of ${scaleSetId} was written by another listener`,
    {
      retryable: true,
    },
  );
}

function settingsOf(spec: Spec) {
  const { name, labels } = spec.declaration;
  return {
    labels: [...new Set([name, ...labels])],
    runnerSetting: { ephemeral: true, disableUpdate: true },
  };
}

function registrationHash(spec: Spec): string {
  const { name, group } = spec.declaration;
  const text = JSON.stringify([name, group, settingsOf(spec)]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function foreignScaleSet(spec: Spec): ConfigError {
  const { name, configUrl } = spec.declaration;
  return new ConfigError(
    `a scale set named "${name}" exists at ${configUrl} and was not created by this installation: set "adopt: true" to take it over, or choose another name`,
  );
}
