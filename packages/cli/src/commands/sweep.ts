import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { registerSweepConfirm } from './sweep-confirm.ts';
import { registerSweepList } from './sweep-list.ts';
import { registerSweepRun } from './sweep-run.ts';

export function registerSweep(program: Command, context: Context): void {
  const sweep = program
    .command('sweep')
    .description('what janitors look for by the clock: list, run now, confirm what is held')
    .addHelpText('after', examples);
  registerSweepList(sweep.command('list'), context);
  registerSweepRun(sweep, context);
  registerSweepConfirm(sweep, context);
}

const examples = `
Examples:
  baton sweep list
  baton sweep run lost --dry-run
  baton sweep run all --dry-run -o json
  baton sweep confirm lost`;
