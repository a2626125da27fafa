import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { registerDeadDiscard } from './dead-discard.ts';
import { registerDeadList } from './dead-list.ts';
import { registerDeadReplay } from './dead-replay.ts';
import { registerDeadShow } from './dead-show.ts';

export function registerDead(program: Command, context: Context): void {
  const dead = program
    .command('dead')
    .description('messages that no service could handle: list, show, replay or discard them')
    .addHelpText('after', examples);
  registerDeadList(dead, context);
  registerDeadShow(dead, context);
  registerDeadReplay(dead, context);
  registerDeadDiscard(dead, context);
}

const examples = `
Examples:
  baton dead list --service listener
  baton dead show 12
  baton dead replay 12 13
  baton dead replay --all --scale-set linux --dry-run
  baton dead discard 12`;
