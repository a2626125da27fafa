import { type GitHubClient, isGitHubError } from '@baton/scaleset';
import type { Runner } from '@baton/shared/contracts';
import { AppError, ConfigError, errorText, TimeoutError } from '@baton/shared/errors';
import { withDeadline } from '@baton/shared/time';
import type { Refusal } from './core/judge-refusal.ts';
import { isGateOpen } from './core/next-step.ts';
import type { DeleteDeps } from './delete-deps.ts';
import { findListed } from './delete-instance.ts';

export type Deregistered = { kind: 'done' } | { kind: 'refused'; why: Refusal; text: string };

/** Takes the runner off GitHub's list; one that is not on it is done. Safe to repeat. */
export async function deregister(
  deps: DeleteDeps,
  runner: Runner,
  signal: AbortSignal,
): Promise<Deregistered> {
  const { clock, limits } = deps;
  const limit = { clock, timeoutMs: limits.deregisterTimeoutMs, what: 'deregister', signal };
  try {
    return await withDeadline(limit, (within) => ask(deps, runner, within));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AppError && error.code === 'nats') throw error;
    return { kind: 'refused', why: isOutage(error) ? 'outage' : 'refused', text: errorText(error) };
  }
}

async function ask(deps: DeleteDeps, runner: Runner, signal: AbortSignal): Promise<Deregistered> {
  const spec = await deps.specs.get(runner.scaleSetId);
  if (!spec) {
    throw new ConfigError(
      `scale set ${runner.scaleSetId} has no spec to find its credential by: apply it again, or see "baton runner delete --force"`,
    );
  }
  const { credential, configUrl } = spec.declaration;
  const { client } = deps.github(credential, configUrl);
  const id = runner.githubRunnerId ?? (await findByName(deps, client, runner, signal))?.id;
  if (id === undefined) return { kind: 'done' };
  const { kind } = await client.removeRunner(id, { signal });
  if (kind !== 'busy') return { kind: 'done' };
  const text = 'GitHub still believes that the runner runs a job';
  return { kind: 'refused', why: 'busy', text };
}

/**
 * Behind a shut gate it is looked for under the name of its instance too, before it counts as not registered:
 * the record may be an old copy, from before the runner got another name.
 */
async function findByName(
  deps: DeleteDeps,
  client: GitHubClient['client'],
  runner: Runner,
  signal: AbortSignal,
) {
  const found = await client.findRunnerByName(runner.name, { signal });
  if (found || isGateOpen(runner)) return found;
  const listed = await findListed(deps, runner);
  if (!listed || listed.runnerName === runner.name) return undefined;
  return await client.findRunnerByName(listed.runnerName, { signal });
}

/** GitHub did not say no: it said nothing, or that it cannot answer now. */
function isOutage(error: unknown): boolean {
  return (
    error instanceof TimeoutError || isGitHubError(error, 'unavailable', 'degraded', 'rate-limited')
  );
}
