import { isGitHubError } from '@baton/scaleset';
import type { Runner } from '@baton/shared/contracts';
import { AppError, ConfigError, errorText, TimeoutError } from '@baton/shared/errors';
import { withDeadline } from '@baton/shared/time';
import type { Refusal } from './core/judge-refusal.ts';
import type { DeleteDeps } from './delete-deps.ts';

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
  const id = runner.githubRunnerId ?? (await client.findRunnerByName(runner.name, { signal }))?.id;
  if (id === undefined) return { kind: 'done' };
  const { kind } = await client.removeRunner(id, { signal });
  if (kind !== 'busy') return { kind: 'done' };
  const text = 'GitHub still believes that the runner runs a job';
  return { kind: 'refused', why: 'busy', text };
}

/** GitHub did not say no: it said nothing, or that it cannot answer now. */
function isOutage(error: unknown): boolean {
  return (
    error instanceof TimeoutError || isGitHubError(error, 'unavailable', 'degraded', 'rate-limited')
  );
}
