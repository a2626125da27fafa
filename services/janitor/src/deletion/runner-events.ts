import { eventSubject, type Runner, type RunnerEvent } from '@baton/shared/contracts';
import { isoNow } from '@baton/shared/time';
import { type DeleteDeps, nameOf } from './delete-deps.ts';

type Part = Pick<RunnerEvent, 'by'> & Partial<RunnerEvent>;
type What = 'marked' | 'kept' | 'deleted';

/** Tells of the end of a runner: who decided it and why, and who carried it out. Once within two minutes. */
export async function tellDeleted(
  deps: DeleteDeps,
  runner: Runner,
  note: string | undefined,
): Promise<void> {
  const { mark, deletion } = runner;
  const texts = [mark?.text, note].filter((text) => text !== undefined);
  await tell(deps, runner, 'deleted', `deleted-${runner.runnerId}`, {
    ...decisionOf(deps, runner),
    ...(texts.length > 0 ? { text: texts.join('; ') } : {}),
    carriedOutBy: nameOf(deps),
    gate: mark?.gate,
    attempts: deletion?.attempts ?? 0,
    ...(mark ? { markedForMs: Math.max(0, deps.clock.now() - Date.parse(mark.at)) } : {}),
  });
}

/** Tells that a mark was taken back. `marked` is the record as it was before. */
export async function tellKept(
  deps: DeleteDeps,
  marked: Runner,
  revision: number,
  text: string,
): Promise<void> {
  await tell(deps, marked, 'kept', `kept-${marked.runnerId}-${revision}`, {
    ...decisionOf(deps, marked),
    by: nameOf(deps),
    text,
    gate: marked.mark?.gate,
    attempts: marked.deletion?.attempts ?? 0,
  });
}

/** Tells of a mark that the janitor made for an operator. */
export async function tellMarked(
  deps: DeleteDeps,
  runner: Runner,
  revision: number,
): Promise<void> {
  await tell(deps, runner, 'marked', `marked-${runner.runnerId}-${revision}`, {
    ...decisionOf(deps, runner),
    text: runner.mark?.text,
    gate: runner.mark?.gate,
  });
}

function decisionOf(deps: DeleteDeps, { mark }: Runner): Part {
  const { reason, evidence } = mark ?? {};
  return { by: mark?.by ?? nameOf(deps), reason, ...(evidence ? { evidence } : {}) };
}

async function tell(
  { publisher, clock }: DeleteDeps,
  { scaleSetId, runnerId, name, traceparent }: Runner,
  what: What,
  messageId: string,
  part: Part,
): Promise<void> {
  const event = {
    v: 1,
    type: `runner.${what}`,
    scaleSetId,
    runnerId,
    runnerName: name,
    at: isoNow(clock),
    ...part,
  };
  const subject = eventSubject('janitor', scaleSetId, 'runner', what);
  await publisher.publishOnce(subject, event, { messageId, traceparent });
}
