import { type Command, InvalidArgumentError } from 'commander';
import { type Context, type OutputFormat, outputOption, writeResult } from '../context.ts';
import { type DeadView, deadView, formatBytes, shorten } from '../core/dead-view.ts';
import { formatDuration } from '../core/duration.ts';
import {
  addFilterOptions,
  type FilterOptions,
  filterOf,
  letterId,
  withDeadLetters,
} from '../dead-letters.ts';
import { renderTable } from '../render-table.ts';

interface ListOptions extends FilterOptions {
  limit: number;
  before?: number;
  output: OutputFormat;
}

const shownReason = 80;
const maxLimit = 10_000;

export function registerDeadList(dead: Command, context: Context): void {
  addFilterOptions(dead.command('list'))
    .description('dead letters, newest last')
    .option('--limit <n>', 'no more than these, the newest', limit, 50)
    .option('--before <id>', 'those older than this one', letterId)
    .addOption(outputOption())
    .action(async (options: ListOptions) => {
      const { views, more } = await read(context, options);
      writeResult(context, options.output, views, () => render(views, context));
      const [oldest] = views;
      if (more && oldest) {
        context.stderr.write(
          `There are older ones: add --before ${oldest.id}, or a larger --limit.\n`,
        );
      }
    });
}

async function read(context: Context, options: ListOptions) {
  return await withDeadLetters(context, async ({ letters, names }) => {
    const filter = { ...filterOf(options), before: options.before };
    const { letters: found, more } = await letters.list(filter, options.limit);
    return { views: found.map((letter) => deadView(letter, names)), more };
  });
}

function render(views: readonly DeadView[], { colors, clock }: Context): string {
  return renderTable(columns, views, { colors: colors(), nowMs: clock.now() });
}

const columns = [
  { heading: 'ID', cell: ({ id }: DeadView) => id },
  { heading: 'WHEN', cell: ({ at }: DeadView, nowMs: number) => ago(at, nowMs) },
  { heading: 'SERVICE', cell: ({ service }: DeadView) => service },
  { heading: 'KIND', cell: ({ kind }: DeadView) => kind },
  { heading: 'SCALE-SET', cell: ({ scaleSet, scaleSetId }: DeadView) => scaleSet ?? scaleSetId },
  { heading: 'SIZE', cell: sizeText },
  { heading: 'REASON', cell: ({ reason }: DeadView) => shorten(reason, shownReason) },
];

function ago(at: string, nowMs: number): string {
  return `${formatDuration(nowMs - Date.parse(at))} ago`;
}

function sizeText({ bytes, missingParts }: DeadView): string {
  return missingParts.length === 0 ? formatBytes(bytes) : `${formatBytes(bytes)}, incomplete`;
}

function limit(text: string): number {
  const wanted = Number(text);
  if (/^\d+$/.test(text) && wanted >= 1 && wanted <= maxLimit) return wanted;
  throw new InvalidArgumentError(`Use a number from 1 to ${maxLimit}.`);
}
