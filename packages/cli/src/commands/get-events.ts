import { scaleSetIdOf } from '@baton/shared/contracts';
import { EventLog } from '@baton/shared/messaging';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Context, type OutputFormat, outputOption, writeResult } from '../context.ts';
import { formatDuration, parseDuration } from '../core/duration.ts';
import { type EventView, eventView } from '../core/event-view.ts';
import { lifeColumns, lifeSummary } from '../core/runner-life.ts';
import { Refusal } from '../failure.ts';
import { readSpecs } from '../read-records.ts';
import { readRunnerLife } from '../read-runner-life.ts';
import { renderOptions, renderTable } from '../render-table.ts';
import { type Stores, withStores } from '../stores.ts';

interface EventsOptions {
  runner?: string;
  scaleSet?: string;
  since?: number;
  type?: string;
  limit: number;
  output: OutputFormat;
}

/** What events are read with. */
interface Scope {
  stores: Stores;
  log: EventLog;
  /** Of scale sets, by their internal ids. */
  names: ReadonlyMap<string, string>;
  /** Internal id of the scale set that was asked for. */
  scaleSetId: string | undefined;
  onProgress: (left: number) => void;
}

const defaultLimit = 100;
const maxLimit = 100_000;
/** A read that takes longer says how far it is, this often; ms. */
const tellEveryMs = 2_000;

export function registerGetEvents(get: Command, context: Context): void {
  get
    .command('events')
    .alias('event')
    .description('what happened, oldest first; events are kept for 7 days')
    .option('--runner <name>', 'the whole life of a runner, by its name or id')
    .option('--scale-set <name>', 'those of one scale set, by name or internal id')
    .addOption(alone('--since <duration>', 'not older than this: 90s, 10m, 24h').argParser(since))
    .addOption(
      alone('--type <type>', 'of this type: runner.deleted, or all of runner').argParser(type),
    )
    .addOption(
      alone('-n, --limit <n>', 'no more than these, the newest')
        .argParser(limit)
        .default(defaultLimit),
    )
    .addOption(outputOption())
    .action(async (options: EventsOptions) => {
      await withStores(context, async (stores) => {
        const scope = await openScope(context, stores, options);
        const { runner } = options;
        if (runner === undefined) await showNewest(context, scope, options);
        else await showLife(context, scope, { ...options, runner });
      });
    });
}

/** The life of a runner is told whole. */
function alone(flags: string, description: string): Option {
  return new Option(flags, description).conflicts('runner');
}

async function openScope(
  { clock, stderr }: Context,
  stores: Stores,
  { scaleSet }: EventsOptions,
): Promise<Scope> {
  const specs = await readSpecs(stores);
  const names = new Map(specs.map(({ key, value }) => [key, value.declaration.name]));
  let toldMs = clock.monotonic();
  return {
    stores,
    log: await EventLog.open(stores.nats),
    names,
    scaleSetId: scaleSet === undefined ? undefined : internalId(scaleSet, names),
    onProgress: (left) => {
      if (clock.monotonic() - toldMs < tellEveryMs) return;
      toldMs = clock.monotonic();
      stderr.write(`reading events, ${left} to go\n`);
    },
  };
}

/** A scale set that is gone is found by the name or the id that it had. */
function internalId(scaleSet: string, names: ReadonlyMap<string, string>): string {
  const isId = names.has(scaleSet) || /-[0-9a-f]{8}$/.test(scaleSet);
  return isId ? scaleSet : scaleSetIdOf(scaleSet);
}

async function showNewest(
  context: Context,
  { log, names, scaleSetId = '*', onProgress }: Scope,
  { since: ageMs, type = '*.*', limit: most, output }: EventsOptions,
): Promise<void> {
  const { clock } = context;
  const subjects = [`baton.v1.event.*.${scaleSetId}.${type}`];
  const range = await log.range(ageMs === undefined ? undefined : new Date(clock.now() - ageMs));
  const found = await log.newest({ subjects, range, onProgress }, most);
  const views = found.map((event) => eventView(event, names));
  writeResult(context, output, views, () => renderTable(columns, views, renderOptions(context)));
  if (output === 'table' && views.length === most) {
    context.stderr.write('There may be older ones: give a larger -n.\n');
  }
}

async function showLife(
  context: Context,
  { names, ...scope }: Scope,
  { runner, output }: EventsOptions & { runner: string },
): Promise<void> {
  const { runnerId, record, events } = await readRunnerLife({ ...scope, runner });
  const views = events.map((event) => eventView(event, names));
  if (!record && views.length === 0) throw unknownRunner(runner);
  writeResult(context, output, views, () => {
    const render = renderOptions(context);
    const summary = lifeSummary({ runnerId, record, views, nowMs: render.nowMs });
    return `${summary}\n${views.length > 0 ? renderTable(lifeColumns(views), views, render) : ''}`;
  });
}

function unknownRunner(runner: string): Refusal {
  return new Refusal(
    `no event and no record is about a runner "${runner}": events are kept for 7 days; see "baton get runners"`,
  );
}

const columns = [
  { heading: 'TIME', cell: ({ at }: EventView) => at },
  {
    heading: 'AGE',
    cell: ({ at }: EventView, nowMs: number) => formatDuration(nowMs - Date.parse(at)),
  },
  { heading: 'WHAT', cell: ({ type: what }: EventView) => what },
  { heading: 'SCALE-SET', cell: ({ scaleSet, scaleSetId }: EventView) => scaleSet ?? scaleSetId },
  { heading: 'RUNNER', cell: ({ runnerName }: EventView) => runnerName },
  { heading: 'WHO', cell: ({ by }: EventView) => by },
  { heading: 'TEXT', cell: ({ text }: EventView) => text },
];

function since(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new InvalidArgumentError('Use a time such as 90s, 10m or 24h.');
}

/** As the end of a subject: `runner` stands for all that begins with it. */
function type(text: string): string {
  if (/^[a-z-]+\.[a-z-]+$/.test(text)) return text;
  if (/^[a-z-]+$/.test(text)) return `${text}.*`;
  throw new InvalidArgumentError('Use a type such as runner.deleted, or runner for all of them.');
}

function limit(text: string): number {
  const wanted = Number(text);
  if (/^\d+$/.test(text) && wanted >= 1 && wanted <= maxLimit) return wanted;
  throw new InvalidArgumentError(`Use a number from 1 to ${maxLimit}.`);
}
