import { createHash } from 'node:crypto';
import { isGitHubError, type ScaleSet, type ScaleSetClient } from '@baton/scaleset';
import type { SessionRecord, Spec } from '@baton/shared/contracts';
import { ConfigError } from '@baton/shared/errors';
import type { Logger } from '@baton/shared/telemetry';
import type { SessionClaim } from './session-claim.ts';

interface RegisterDeps {
  client: ScaleSetClient;
  claim: SessionClaim;
  log: Logger;
  signal: AbortSignal;
}

type Registration = NonNullable<SessionRecord['github']>;

const defaultGroupId = 1;

/**
 * Makes sure that the scale set exists at GitHub with its labels, and that the record says which
 * one it is. Repeating it changes nothing: the intent to create stands in the record before the
 * call, so that a scale set found after a crash is known as ours.
 * @throws ConfigError for a missing runner group, or a scale set that somebody else created.
 */
export async function registerScaleSet(deps: RegisterDeps, spec: Spec): Promise<Registration> {
  const known = deps.claim.record.github;
  const wanted = registrationHash(spec);
  if (known?.registered === wanted) return known;
  if (known) {
    await deps.client.updateScaleSet(known.scaleSetId, settingsOf(spec), { signal: deps.signal });
    return await remember(deps, { ...known, registered: wanted });
  }
  const runnerGroupId = await findGroup(deps, spec);
  const found = await deps.client.findScaleSet(runnerGroupId, spec.declaration.name, {
    signal: deps.signal,
  });
  const ours = deps.claim.record.creating === true;
  if (found && !ours && !spec.declaration.adopt) throw foreignScaleSet(spec);
  const scaleSet = found ?? (await create(deps, spec, runnerGroupId));
  if (found) await deps.client.updateScaleSet(found.id, settingsOf(spec), { signal: deps.signal });
  return await remember(deps, {
    scaleSetId: scaleSet.id,
    runnerGroupId,
    createdByUs: ours || !found,
    registered: wanted,
  });
}

/** The scale set is gone at GitHub: forget it and its session, so that it is registered anew. */
export async function forgetScaleSet(claim: SessionClaim): Promise<void> {
  await claim.write(({ github: _github, session: _session, ...record }) => ({
    ...record,
    ring: [],
  }));
}

async function create(deps: RegisterDeps, spec: Spec, runnerGroupId: number): Promise<ScaleSet> {
  const { client, claim, signal, log } = deps;
  await claim.write((record) => ({ ...record, creating: true }));
  try {
    const created = await client.createScaleSet(
      { name: spec.declaration.name, runnerGroupId, ...settingsOf(spec) },
      { signal },
    );
    log.info({ githubScaleSetId: created.id }, 'scale set created');
    return created;
  } catch (error) {
    if (!isGitHubError(error, 'scale-set-exists')) throw error;
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

async function remember({ claim }: RegisterDeps, github: Registration): Promise<Registration> {
  await claim.write(({ creating: _creating, ...record }) => ({ ...record, github }));
  return github;
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
