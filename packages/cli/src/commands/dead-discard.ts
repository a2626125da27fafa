import type { Command } from 'commander';
import { askFirst } from '../ask-first.ts';
import type { Context } from '../context.ts';
import { findLetter, letterIds, withDeadLetters } from '../dead-letters.ts';

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

async function confirm(context: Context, ids: readonly number[]): Promise<void> {
  const what = `dead letter${ids.length === 1 ? '' : 's'} ${ids.join(', ')}`;
  await askFirst(context, {
    deed: `discard ${what}`,
    question: `Discard ${what} for good, unhandled?`,
    otherwise: 'nothing was discarded',
  });
}
