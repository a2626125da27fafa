import { exitCodes } from '@baton/shared/lifecycle';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { findLetter, letterIds, withDeadLetters } from '../dead-letters.ts';
import { Refusal } from '../failure.ts';

export function registerDeadDiscard(dead: Command, context: Context): void {
  dead
    .command('discard')
    .description('remove dead letters that no replay can help; nothing handles them after that')
    .argument('<ids...>', 'their ids', letterIds)
    .option('-y, --yes', 'do not ask')
    .action(async (ids: number[], { yes }: { yes?: boolean }) => {
      await withDeadLetters(context, async (scope) => {
        const letters = [];
        for (const id of ids) letters.push({ ...(await findLetter(scope, id)), body: '' });
        if (yes !== true) await confirm(context, ids);
        for (const { id, sequences } of letters) {
          await scope.letters.remove(sequences);
          context.stdout.write(`${id} discarded\n`);
        }
      });
    });
}

async function confirm({ ask }: Context, ids: readonly number[]): Promise<void> {
  const what = `dead letter${ids.length === 1 ? '' : 's'} ${ids.join(', ')}`;
  if (!ask) throw new Refusal(`add --yes to discard ${what}`, exitCodes.usage);
  const answer = await ask(`Discard ${what} for good, unhandled? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new Refusal('nothing was discarded');
}
