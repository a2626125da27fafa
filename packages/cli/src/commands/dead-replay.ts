import { exitCodes } from '@baton/shared/lifecycle';
import {
  Publisher,
  type ReplayAnswer,
  requestReplays,
  type StoredLetter,
} from '@baton/shared/messaging';
import { silentLogger } from '@baton/shared/telemetry';
import { type Command, InvalidArgumentError } from 'commander';
import { type Context, type OutputFormat, outputOption } from '../context.ts';
import { parseDuration } from '../core/duration.ts';
import {
  addFilterOptions,
  type DeadScope,
  type FilterOptions,
  filterOf,
  letterIds,
  withDeadLetters,
} from '../dead-letters.ts';
import { Refusal } from '../failure.ts';

interface ReplayOptions extends FilterOptions {
  all?: boolean;
  dryRun?: boolean;
  timeout: number;
  output: OutputFormat;
}

/** One element of `baton dead replay -o json`. Fields are only ever added. */
interface ReplayView {
  id: number;
  outcome: ReplayAnswer['outcome'] | 'missing' | 'not asked';
  reason: string | null;
}

const defaultTimeoutMs = 30_000;

export function registerDeadReplay(dead: Command, context: Context): void {
  addFilterOptions(dead.command('replay'))
    .description(
      'have the services handle dead letters again; those that succeed are removed; safe to repeat',
    )
    .argument('[ids...]', 'their ids', letterIds)
    .option('--all', 'all of them, or all that the options choose')
    .option('--dry-run', 'say which ones, and replay nothing')
    .option('--timeout <time>', 'how long without any answer: 30s, 2m', duration, defaultTimeoutMs)
    .addOption(outputOption())
    .action(async (ids: number[], options: ReplayOptions) => {
      verifyUsage(ids, options);
      const views = await withDeadLetters(
        context,
        async (scope) => await replay(scope, context, ids, options),
      );
      if (options.output === 'json') context.stdout.write(`${JSON.stringify(views, null, 2)}\n`);
      else if (views.length === 0) context.stdout.write('no dead letters\n');
      const failed = views.filter(({ outcome }) => !fine.has(outcome)).length;
      if (failed > 0) throw new Refusal(`${failed} of ${views.length} were not replayed`);
    });
}

const fine: ReadonlySet<string> = new Set(['replayed', 'not asked']);

function verifyUsage(ids: readonly number[], { all, service, kind, scaleSet }: ReplayOptions) {
  const chosen = [service, kind, scaleSet].some((option) => option !== undefined);
  if (all ? ids.length === 0 : ids.length > 0 && !chosen) return;
  const text = 'give ids, or --all with or without --service, --kind and --scale-set';
  throw new Refusal(text, exitCodes.usage);
}

async function replay(
  scope: DeadScope,
  context: Context,
  ids: readonly number[],
  options: ReplayOptions,
): Promise<ReplayView[]> {
  const views: ReplayView[] = [];
  const services = new Map<number, string>();
  const add = (view: ReplayView) => {
    views.push(view);
    const line = lineOf(view, services.get(view.id) ?? 'service');
    if (options.output !== 'json') context.stdout.write(`${line}\n`);
  };
  const letters = await choose(scope, ids, options, add);
  for (const { id, service } of letters) services.set(id, service);
  if (options.dryRun) {
    for (const { id, reason } of letters) add({ id, outcome: 'not asked', reason });
    return views;
  }
  const publisher = new Publisher(scope.nats, silentLogger());
  await requestReplays(scope.nats, publisher, letters, {
    timeoutMs: options.timeout,
    onAnswer: ({ letterId, outcome, reason = null }) => add({ id: letterId, outcome, reason }),
  });
  return views;
}

async function choose(
  { letters }: DeadScope,
  ids: readonly number[],
  options: ReplayOptions,
  add: (view: ReplayView) => void,
): Promise<StoredLetter[]> {
  if (options.all) return (await letters.list(filterOf(options), Number.MAX_SAFE_INTEGER)).letters;
  const found: StoredLetter[] = [];
  for (const id of ids) {
    const letter = await letters.find(id);
    if (letter) found.push({ ...letter, body: '' });
    else add({ id, outcome: 'missing', reason: null });
  }
  return found;
}

function lineOf({ id, outcome, reason }: ReplayView, service: string): string {
  switch (outcome) {
    case 'replayed':
      return `${id} replayed`;
    case 'kept':
      return `${id} still not understood: ${oneLine(reason)}`;
    case 'unanswered':
      return `${id} no ${service} answered; one will replay it when it runs, for a day`;
    case 'missing':
      return `${id} is not there: replayed or discarded before, or too old`;
    case 'not asked':
      return `${id} would be replayed; now: ${oneLine(reason)}`;
  }
}

/** What GitHub sent may be part of a reason. */
function oneLine(text: string | null): string {
  return (text ?? 'no reason given').replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Use a time like 30s or 2m.');
  return ms;
}
