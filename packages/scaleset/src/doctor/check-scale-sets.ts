import { missingLabels, wantedLabels } from '../labels.ts';
import { listRunnerGroupPolicies, type RunnerGroupPolicy } from '../runner-group-policies.ts';
import type { OpenScope } from './check-scope.ts';
import type { Examination } from './examination.ts';

/** What the operator declared of a scale set, as far as GitHub has to do with it. */
export interface DeclaredScaleSet {
  name: string;
  configUrl: string;
  credential: string;
  group: string;
  labels: readonly string[];
}

interface Group {
  name: string;
  id: number;
}

const defaultGroupId = 1;

/** Whether the scale sets of one scope are at GitHub as they were declared. */
export async function checkScaleSets(
  exam: Examination,
  scope: OpenScope,
  declared: readonly DeclaredScaleSet[],
): Promise<void> {
  const groups = new Map<string, Group | undefined>();
  for (const { group } of declared) {
    if (!groups.has(group)) groups.set(group, await checkGroup(exam, scope, group));
  }
  await checkPolicies(
    exam,
    scope,
    [...groups.values()].flatMap((group) => group ?? []),
  );
  for (const one of declared) {
    const group = groups.get(one.group);
    if (group) await checkScaleSet(exam, scope, one, group);
  }
}

async function checkGroup(
  exam: Examination,
  { parsed, client }: OpenScope,
  name: string,
): Promise<Group | undefined> {
  const about = `runner group ${name}`;
  if (name.toLowerCase() === 'default') return { name, id: defaultGroupId };
  const found = await exam.step('group', { about, host: parsed.host }, async ({ signal }) => ({
    group: await client.findRunnerGroup(name, { signal }),
  }));
  if (!found) return undefined;
  const { group } = found;
  const text = group
    ? `is at ${parsed.url}`
    : `there is none of this name at ${parsed.url}: create it there, or change the group of the scale set`;
  exam.add('group', about, group ? 'ok' : 'failed', text);
  return group && { name, id: group.id };
}

async function checkPolicies(
  exam: Examination,
  { parsed, token, limit }: OpenScope,
  groups: readonly Group[],
): Promise<void> {
  if (groups.length === 0) return;
  const about = groups.map(({ name }) => `runner group ${name}`).join(', ');
  try {
    const policies = await exam.within(parsed.host, (bounds) =>
      listRunnerGroupPolicies(exam.transport, parsed, {
        token,
        limit: limit(bounds),
        signal: bounds.signal,
      }),
    );
    for (const { name, id } of groups) {
      const policy = policies?.find((one) => one.id === id);
      if (policy) addPolicy(exam, name, policy);
    }
  } catch (error) {
    // Work goes on without this right.
    const reason = error instanceof Error ? error.message : String(error);
    exam.add('group-policy', about, 'warning', `cannot be read with this credential: ${reason}`);
  }
}

function addPolicy(exam: Examination, name: string, policy: RunnerGroupPolicy): void {
  const limits = [
    policy.visibility === 'selected' ? 'only selected repositories may use it' : undefined,
    policy.visibility === 'private' ? 'only private repositories may use it' : undefined,
    policy.restrictedToWorkflows ? 'only selected workflows may use it' : undefined,
  ].filter((limit) => limit !== undefined);
  const open =
    policy.allowsPublicRepositories === false
      ? 'all repositories but public ones'
      : 'all repositories';
  const text =
    limits.length === 0
      ? `${open} may use it`
      : `${limits.join(', ')}: jobs of others wait for ever; change it in the settings of the runner group if that is not meant`;
  exam.add('group-policy', `runner group ${name}`, limits.length === 0 ? 'ok' : 'warning', text);
}

async function checkScaleSet(
  exam: Examination,
  { parsed, client }: OpenScope,
  { name, labels }: DeclaredScaleSet,
  group: Group,
): Promise<void> {
  const about = `scale set ${name}`;
  const look = await exam.step('scale-set', { about, host: parsed.host }, async ({ signal }) => ({
    found: await client.findScaleSet(group.id, name, { signal }),
  }));
  if (!look) return;
  const { found } = look;
  if (!found) {
    const text = `is not registered in runner group ${group.name} at ${parsed.url}: its listener registers it; see "baton describe ${name}" for why it did not`;
    exam.add('scale-set', about, 'failed', text);
    return;
  }
  exam.add('scale-set', about, 'ok', `is registered with the id ${found.id}`);
  const wanted = wantedLabels(name, labels);
  const missing = missingLabels(wanted, found.labels);
  const text =
    missing.length === 0
      ? `GitHub has ${wanted.join(', ')}`
      : `GitHub has it without ${missing.join(', ')}: jobs that ask for that are not sent here; look whether this server takes several labels`;
  exam.add('labels', about, missing.length === 0 ? 'ok' : 'failed', text);
}
