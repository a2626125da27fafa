import { createHash } from 'node:crypto';

const longestLabel = 63;
const hashLength = 10;

/**
 * The name of a runner's pod: the runner's own name where Kubernetes takes it, so that people find it;
 * else the part that it takes and a hash of the whole. The same runner always has the same name, so
 * that of two creates one fails, and no two runners share one: a name of ours ends with the id. Pure.
 */
export function podName({
  runnerId,
  runnerName,
}: {
  runnerId: string;
  runnerName: string;
}): string {
  const fit = fitted(runnerName.toLowerCase().replace(/[^a-z0-9-]/g, '-'), longestLabel);
  if (fit === runnerName && runnerName.endsWith(runnerId)) return runnerName;
  const hash = createHash('sha256').update(`${runnerName}\n${runnerId}`).digest('hex');
  const start = fitted(fit, longestLabel - hashLength - 1);
  return `${start || 'runner'}-${hash.slice(0, hashLength)}`;
}

/** Whether Kubernetes could have a pod of this name that is ours. */
export function isPodName(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}

/** A label's value: the text, or as much of it as a label takes. For searching, never for telling apart. */
export function labelValue(text: string): string {
  const allowed = text.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, longestLabel);
  return allowed.replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
}

function fitted(text: string, length: number): string {
  return text.replace(/^-+/, '').slice(0, length).replace(/-+$/, '');
}
