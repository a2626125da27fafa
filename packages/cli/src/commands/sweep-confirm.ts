import {
  type SweepHold,
  type SweepName,
  sweepConfirmationKey,
  sweepNames,
} from '@baton/shared/contracts';
import type { Command } from 'commander';
import { askFirst } from '../ask-first.ts';
import { type Context, type OutputFormat, outputOption, writeResult } from '../context.ts';
import { formatDuration } from '../core/duration.ts';
import { Refusal } from '../failure.ts';
import { operatorOf } from '../operator.ts';
import { readSweeps, type SweepStores, sweepName, withSweeps } from '../sweeps.ts';

interface ConfirmOptions {
  host?: string;
  yes?: boolean;
  output: OutputFormat;
}

/** So many runners are named before an operator is asked; all of them with `-o json`. */
const mostNamed = 50;

export function registerSweepConfirm(sweep: Command, context: Context): void {
  sweep
    .command('confirm')
    .description('let a sweep do what is held: the runners that it names now, and no others')
    .argument('<name>', `one of: ${sweepNames.join(', ')}`, sweepName)
    .option('--host <id>', 'of the part that is about the instances of this host')
    .option('-y, --yes', 'do not ask')
    .addOption(outputOption())
    .action(async (name: SweepName, options: ConfirmOptions) => {
      await withSweeps(context, async (stores) => {
        const { hold, host } = await findHold(stores, name, options.host);
        context.stderr.write(describe(hold, context.clock.now()));
        if (options.yes !== true) {
          await confirm(context, name, hold);
          // A run may have come meanwhile: what was read and agreed to is not what is held now.
          const now = await findHold(stores, name, options.host);
          if (now.hold.id !== hold.id)
            throw new Refusal('others are held by now: nothing was confirmed, look again');
        }
        await stores.confirmations.put(sweepConfirmationKey(name, host ?? undefined), {
          v: 1,
          holdId: hold.id,
          by: operatorOf(context.env),
          at: new Date(context.clock.now()).toISOString(),
        });
        writeResult(
          context,
          options.output,
          { sweep: name, host, hold },
          () =>
            `confirmed: the next run of ${name} marks those of the ${hold.count} that it still finds; "baton sweep run ${name}" does so now\n`,
        );
      });
    });
}

async function findHold(stores: SweepStores, name: SweepName, host: string | undefined) {
  const views = await readSweeps(stores);
  const held = views.flatMap((view) =>
    view.sweep === name && view.hold ? [{ hold: view.hold, host: view.host }] : [],
  );
  const found = held.find((one) => one.host === (host ?? null));
  if (found) return found;
  const elsewhere = held.map((one) =>
    one.host === null ? 'without --host' : `--host ${one.host}`,
  );
  const hint = elsewhere.length > 0 ? `; something is held ${elsewhere.join(', ')}` : '';
  const where = host === undefined ? '' : ` on host ${host}`;
  throw new Refusal(`sweep ${name} holds nothing${where}${hint}: see "baton sweep list"`);
}

function describe({ text, since, runnerIds }: SweepHold, nowMs: number): string {
  const named = runnerIds.slice(0, mostNamed).map((id) => `  ${id}\n`);
  const more = runnerIds.length - named.length;
  const rest = more > 0 ? `  and ${more} more\n` : '';
  return `held for ${formatDuration(nowMs - Date.parse(since))}: ${text}\n${named.join('')}${rest}`;
}

async function confirm(context: Context, name: SweepName, { count }: SweepHold): Promise<void> {
  const runners = count === 1 ? '1 runner' : `${count} runners`;
  await askFirst(context, {
    deed: `have ${runners} marked deleted`,
    question: `Have sweep ${name} mark ${runners} deleted?`,
    otherwise: 'nothing was confirmed',
  });
}
