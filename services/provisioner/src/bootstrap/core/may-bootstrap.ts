import type { Runner } from '@baton/shared/contracts';

/** Why a runner's instance is given nothing any more; undefined while it may fetch and report. */
export function bootstrapObstacle(runner: Runner | undefined): string | undefined {
  if (!runner) return 'there is no such runner any more';
  if (runner.mark) return 'the runner is being deleted';
  if (runner.exit) return 'the runner has ended';
  if (runner.state === 'creating' || runner.state === 'starting') return undefined;
  return `the runner is ${runner.state}: only one that is being created or starts may ask`;
}
