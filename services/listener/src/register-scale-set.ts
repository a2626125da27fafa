import { createHash } from 'node:crypto';
import {
  isGitHubError,
  missingLabels,
  type ScaleSet,
  type ScaleSetClient,
  wantedLabels,
} from '@baton/scaleset';
import type { Registration, Spec } from '@baton/shared/contracts';
import { AppError, ConfigError } from '@baton/shared/errors';
import type { RegistrationStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import type { Problem } from './core/registration.ts';
import { findGroup } from './find-group.ts';
import type { StatusReporter } from './status-reporter.ts';

export interface RegisterDeps {
  client: ScaleSetClient;
  registrations: RegistrationStore;
  log: Logger;
  /** Told what was registered, and what GitHub did not do as asked. */
  status?: Pick<StatusReporter, 'setCondition' | 'registered'> | undefined;
  /** Aborted when the lease is lost: only its holder registers. */
  signal: AbortSignal;
}

type AtGitHub = NonNullable<Registration['github']>;
type Settings = ReturnType<typeof settingsOf> & { runnerGroupId: number };

/**
 * Makes sure that the scale set exists at GitHub with its group and labels, and that the record says
 * which one it is. Repeating it changes nothing: the intent to create stands in the record before
 * the call, so that a scale set found after a crash is known as ours. Labels that GitHub does not
 * keep are sent twice, then reported; the scale set goes on with the others.
 * @throws ConfigError for a missing runner group, or a scale set that somebody else created.
 */
export async function registerScaleSet(deps: RegisterDeps, spec: Spec): Promise<AtGitHub> {
  const record = await readRegistration(deps, spec.scaleSetId);
  const known = record?.github;
  const registered = registrationHash(spec);
  if (known?.registered === registered && !known.problems?.length) {
    report(deps, []);
    return known;
  }
  const group = await findGroup(deps, spec, known ?? record?.before);
  const settings = { runnerGroupId: group.id, ...settingsOf(spec) };
  const { scaleSet, createdByUs } = known
    ? { ...known, scaleSet: await update(deps, known.scaleSetId, settings) }
    : await findOrCreate(deps, spec, record, settings);
  const problems = [...group.problems, ...(await checkLabels(deps, scaleSet, settings))];
  report(deps, problems);
  return await remember(deps, spec, {
    ...known,
    scaleSetId: scaleSet.id,
    runnerGroupId: group.id,
    group: spec.declaration.group,
    createdByUs,
    registered,
    problems,
  });
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
  await write(deps, spec, ({ github, creating: _creating, before, ...record }) => ({
    ...record,
    ...(github ? { before: github } : before ? { before } : {}),
  }));
}

async function findOrCreate(
  deps: RegisterDeps,
  spec: Spec,
  record: Registration | undefined,
  settings: Settings,
): Promise<{ scaleSet: ScaleSet; createdByUs: boolean }> {
  const { client, signal, status } = deps;
  const { name, adopt } = spec.declaration;
  const again = record?.before ? ' again' : '';
  const found = await client.findScaleSet(settings.runnerGroupId, name, { signal });
  if (!found) {
    const scaleSet = await create(deps, spec, settings);
    status?.registered(`created${again}`, scaleSet.id);
    return { scaleSet, createdByUs: true };
  }
  // GitHub said that it was gone, and was wrong.
  const back = record?.before?.scaleSetId === found.id ? record.before : undefined;
  const ours = record?.creating === true || back?.createdByUs === true;
  if (!ours && !back && !adopt) throw foreignScaleSet(spec);
  const scaleSet = await update(deps, found.id, settings);
  status?.registered(ours ? `created${again}` : `adopted${again}`, found.id);
  return { scaleSet, createdByUs: ours };
}

async function update(
  { client, signal }: RegisterDeps,
  scaleSetId: number,
  settings: Settings,
): Promise<ScaleSet> {
  const answer = await client.updateScaleSet(scaleSetId, settings, { signal });
  return { ...answer, id: scaleSetId };
}

async function create(deps: RegisterDeps, spec: Spec, settings: Settings): Promise<ScaleSet> {
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

/** Enterprise Server was seen to drop labels without a word (ARC#4424). */
async function checkLabels(
  deps: RegisterDeps,
  scaleSet: ScaleSet,
  settings: Settings,
): Promise<Problem[]> {
  const { client, signal, log } = deps;
  if (missingLabels(settings.labels, scaleSet.labels).length === 0) return [];
  await update(deps, scaleSet.id, settings);
  const { labels } = await client.getScaleSet(scaleSet.id, { signal });
  const missing = missingLabels(settings.labels, labels);
  if (missing.length === 0) return [];
  log.warn({ missing, kept: labels }, 'github dropped labels');
  const text = `GitHub keeps the scale set without the label${missing.length > 1 ? 's' : ''} ${missing.join(', ')}: jobs that ask for ${missing.length > 1 ? 'them' : 'it'} are not sent here; look whether this server takes several labels`;
  return [{ type: 'labels-dropped', text }];
}

function report({ status }: RegisterDeps, problems: readonly Problem[]): void {
  for (const type of ['labels-dropped', 'group-unknown'] as const) {
    status?.setCondition(type, problems.find((problem) => problem.type === type)?.text);
  }
}

async function remember(deps: RegisterDeps, spec: Spec, github: AtGitHub): Promise<AtGitHub> {
  await write(deps, spec, ({ creating: _creating, before: _before, ...record }) => ({
    ...record,
    github,
  }));
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
    labels: wantedLabels(name, labels),
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
