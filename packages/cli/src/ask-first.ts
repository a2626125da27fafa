import { exitCodes } from '@baton/shared/lifecycle';
import type { Context } from './context.ts';
import { Refusal } from './failure.ts';

interface Question {
  /** What `--yes` would do, for who cannot be asked: `discard dead letter 3`. */
  deed: string;
  question: string;
  /** What is said when the answer is not yes. */
  otherwise: string;
}

/** @throws Refusal unless the person at the terminal says yes; where nobody sits there, with the exit code of wrong usage. */
export async function askFirst(
  { ask }: Context,
  { deed, question, otherwise }: Question,
): Promise<void> {
  if (!ask) throw new Refusal(`add --yes to ${deed}`, exitCodes.usage);
  const answer = await ask(`${question} [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new Refusal(otherwise);
}
