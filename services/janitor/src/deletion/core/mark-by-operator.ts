import type { Mark, Runner, RunnerCommand } from '@baton/shared/contracts';
import { transition } from '@baton/shared/runners';

type Operator = NonNullable<RunnerCommand['operator']>;

/**
 * The record after an operator's word; undefined when it says nothing new: heard before, or answered by a
 * mark that was taken back since. Opens a gate, never shuts one, and ends a back-off. Pure.
 */
export function markByOperator(runner: Runner, operator: Operator, at: string): Runner | undefined {
  const { mark, kept } = runner;
  if (mark?.by === operator.by && mark.at === operator.at) return undefined;
  if (kept?.markedAt === operator.at) return undefined;
  const marked = markOf(operator, mark);
  if (mark) return tryAtOnce({ ...runner, mark: marked });
  const moved = transition(runner, { kind: 'marked', mark: marked }, at);
  return moved.kind === 'moved' ? moved.runner : undefined;
}

function markOf({ by, at, force, hostGone }: Operator, before: Mark | undefined): Mark {
  const isOpen = force || hostGone || before?.gate === 'none';
  const isHostGone = hostGone || before?.hostGone;
  const words = [
    force ? 'forced' : undefined,
    isHostGone ? 'its host is gone' : undefined,
    before && `before that: ${before.reason}, by ${before.by}`,
  ].filter((word) => word !== undefined);
  return {
    // Of one that is lost GitHub's word does not decide alone, whoever wants it gone.
    reason: before?.reason === 'lost' && !isOpen ? 'lost' : 'operator',
    gate: isOpen ? 'none' : 'github',
    by,
    at,
    ...(words.length > 0 ? { text: words.join('; ') } : {}),
    ...(before?.evidence ? { evidence: before.evidence } : {}),
    ...(isHostGone ? { hostGone: true } : {}),
  };
}

function tryAtOnce(runner: Runner): Runner {
  if (!runner.deletion) return runner;
  const { retryAt: _retryAt, failedStep: _failedStep, ...deletion } = runner.deletion;
  return { ...runner, deletion };
}
