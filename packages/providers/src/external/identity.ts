import { createHash } from 'node:crypto';

/** Ours alone; a random UUID, so that no two programs derive the same ids. */
const namespace = Buffer.from('6f0c7a6d1d3b4c0e9d6a0a6f8e1b52c7', 'hex');

/**
 * A UUID made from names: version 5 of RFC 9562. The same names always give the same, in every process
 * and after every restart, and nothing must be stored.
 */
export function nameUuid(space: Uint8Array, name: string): string {
  const hash = createHash('sha1').update(space).update(name).digest().subarray(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Tells the instances of this installation apart from those of others: GARM_CONTROLLER_ID. */
export function controllerIdOf(installationId: string): string {
  return nameUuid(namespace, `installation ${installationId}`);
}

/** Tells the instances of this scale set apart from those of others: GARM_POOL_ID. */
export function poolIdOf(installationId: string, scaleSetId: string): string {
  return nameUuid(namespace, `installation ${installationId} scale set ${scaleSetId}`);
}

/** The runner id at the end of an instance's name; undefined when this installation did not name it. */
export function runnerIdIn(name: string, installationId: string): string | undefined {
  const mark = `-${installationId}-`;
  const at = name.lastIndexOf(mark);
  return at > 0 ? name.slice(at + mark.length) || undefined : undefined;
}

/** Which instance, in a way that every command can be sent from it alone. */
export interface InstanceAddress {
  scaleSetId: string;
  runnerName: string;
  /** Empty while the provider's own id is not known: the name serves as well. */
  providerId: string;
}

/** The port's instance id. The provider's own comes last, because it may hold slashes. */
export function formatInstanceId({ scaleSetId, runnerName, providerId }: InstanceAddress): string {
  return `${scaleSetId}/${runnerName}/${providerId}`;
}

export function parseInstanceId(instanceId: string): InstanceAddress | undefined {
  const [, scaleSetId, runnerName, providerId] = /^([^/]+)\/([^/]+)\/(.*)$/s.exec(instanceId) ?? [];
  if (scaleSetId === undefined || runnerName === undefined || providerId === undefined)
    return undefined;
  return { scaleSetId, runnerName, providerId };
}
