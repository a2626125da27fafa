import type { Spec } from '@baton/shared/contracts';
import { ConfigError } from '@baton/shared/errors';
import type { Problem } from './core/registration.ts';
import type { RegisterDeps } from './register-scale-set.ts';

/** What the record knows of the group from when its name was looked up. */
interface KnownGroup {
  runnerGroupId: number;
  group?: string | undefined;
}

const defaultGroupId = 1;

/**
 * The id of the declared runner group. GitHub keeps scale sets by the group's id: one that has lost
 * its name since it was looked up stays where it is, and says so.
 * @throws ConfigError when there is no such group, and the condition `group-unknown` with it.
 */
export async function findGroup(
  { client, status, signal }: RegisterDeps,
  spec: Spec,
  known: KnownGroup | undefined,
): Promise<{ id: number; problems: Problem[] }> {
  const { group, configUrl } = spec.declaration;
  if (group.toLowerCase() === 'default') return { id: defaultGroupId, problems: [] };
  const found = await client.findRunnerGroup(group, { signal });
  if (found) return { id: found.id, problems: [] };
  if (known?.group === group) {
    const text = `no runner group at ${configUrl} is named "${group}" any more; the scale set stays in the group with the id ${known.runnerGroupId}: give the group's new name`;
    return { id: known.runnerGroupId, problems: [{ type: 'group-unknown', text }] };
  }
  const text = `runner group "${group}" does not exist at ${configUrl}: create it there, or change the group of the scale set`;
  status?.setCondition('group-unknown', text);
  throw new ConfigError(text);
}
