import type { Command } from 'commander';
import { type Context, type OutputFormat, outputOption, writeResult } from '../context.ts';
import { type RunnerView, runnerView } from '../core/runner-view.ts';
import { scaleSetView, sessionView } from '../core/scale-set-view.ts';
import { findSpec, readScaleSets, readSpecs } from '../read-records.ts';
import { renderTable, runnerColumns, scaleSetColumns, sessionColumns } from '../render-table.ts';
import { type Stores, withStores } from '../stores.ts';
import { registerSweepList } from './sweep-list.ts';

interface GetOptions {
  output: OutputFormat;
}

const noScaleSets = 'baton: no scale sets; apply a file with "baton apply -f FILE"\n';

export function registerGet(program: Command, context: Context): void {
  const get = program.command('get').description('list scale sets, runners, sessions or sweeps');
  const { clock, colors } = context;
  const render = () => ({ colors: colors(), nowMs: clock.now() });

  get
    .command('scalesets')
    .alias('scaleset')
    .description('scale sets: what they should be, and what they are')
    .addOption(outputOption())
    .action(async ({ output }: GetOptions) => {
      const records = await withStores(context, readScaleSets);
      const views = records.map((record) => scaleSetView(record, clock.now()));
      writeResult(context, output, views, () => renderTable(scaleSetColumns, views, render()));
      if (output === 'table' && views.length === 0) context.stderr.write(noScaleSets);
    });

  get
    .command('sessions')
    .alias('session')
    .description('message sessions with GitHub: who holds which, and conflicts')
    .addOption(outputOption())
    .action(async ({ output }: GetOptions) => {
      const views = (await withStores(context, readScaleSets)).map(sessionView);
      writeResult(context, output, views, () => renderTable(sessionColumns, views, render()));
    });

  get
    .command('runners')
    .alias('runner')
    .description('runners, oldest first')
    .option('--scale-set <name>', 'those of one scale set')
    .addOption(outputOption())
    .action(async ({ output, scaleSet }: GetOptions & { scaleSet?: string }) => {
      const views = await withStores(
        context,
        async (stores) => await readRunners(stores, scaleSet),
      );
      writeResult(context, output, views, () => renderTable(runnerColumns, views, render()));
    });

  registerSweepList(get.command('sweeps').alias('sweep'), context);
}

async function readRunners(stores: Stores, scaleSet: string | undefined): Promise<RunnerView[]> {
  const specs =
    scaleSet === undefined ? await readSpecs(stores) : [await findSpec(stores, scaleSet)];
  const names = new Map(specs.map(({ key, value }) => [key, value.declaration.name]));
  const prefix = scaleSet === undefined ? undefined : specs[0]?.key;
  const runners = await stores.runners.list(prefix);
  return runners
    .map(({ value }) => runnerView(value, names.get(value.scaleSetId)))
    .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
}
