import type { Mark, Runner } from '@baton/shared/contracts';
import type { Finding } from '../sweep.ts';
import type { Proof } from './decide-by-looks.ts';

/** That a runner has to be marked; `text` is told since when. */
export function markFinding(
  runner: Runner,
  mark: Pick<Mark, 'reason' | 'gate'>,
  text: (span: string) => string,
): (proof: Proof) => Finding {
  return ({ evidence, span }) => ({
    action: 'mark',
    runner,
    mark: { ...mark, text: text(span), evidence },
  });
}
