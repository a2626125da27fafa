import Table from 'cli-table3';
import type { Colors, Context } from './context.ts';
import { formatDuration } from './core/duration.ts';
import type { RunnerView } from './core/runner-view.ts';
import type { ScaleSetView, SessionView } from './core/scale-set-view.ts';
import { wrap } from './core/wrap.ts';

type Cell = string | number | null;

interface Column<Row> {
  heading: string;
  cell: (row: Row, nowMs: number) => Cell;
}

interface RenderOptions {
  colors: Colors;
  nowMs: number;
  /** Of the terminal: the last column is wrapped to fit. Absent for a program, which reads lines. */
  width?: number | undefined;
}

const gap = 2;
/** A narrower last column would be read worse than one that the terminal breaks. */
const leastWidth = 30;

export const scaleSetColumns: Column<ScaleSetView>[] = [
  { heading: 'NAME', cell: ({ name }) => name },
  { heading: 'STATE', cell: shownState },
  { heading: 'OWNER', cell: ({ owner }) => owner },
  { heading: 'SESSION-SINCE', cell: ({ sessionSince }, now) => age(sessionSince, now) },
  { heading: 'MIN', cell: ({ minRunners }) => minRunners },
  { heading: 'MAX', cell: ({ maxRunners }) => maxRunners },
  { heading: 'ASSIGNED', cell: ({ assigned }) => assigned },
  { heading: 'ALIVE', cell: ({ alive }) => alive },
  { heading: 'FREE', cell: ({ free }) => free },
  { heading: 'PROVIDER', cell: ({ provider }) => provider },
  { heading: 'LAST-POLL', cell: ({ lastPollAt }, now) => age(lastPollAt, now, ' ago') },
  { heading: 'NEXT-TRY', cell: ({ retryAt }, now) => ahead(retryAt, now) },
  { heading: 'CONDITIONS', cell: ({ conditions }) => conditions.map(({ type }) => type).join(',') },
  { heading: 'REASON', cell: ({ reason }) => reason },
];

export const runnerColumns: Column<RunnerView>[] = [
  { heading: 'NAME', cell: ({ name }) => name },
  { heading: 'STATE', cell: ({ state }) => state },
  { heading: 'AGE', cell: ({ createdAt }, now) => age(createdAt, now) },
  { heading: 'JOB', cell: ({ jobId }) => jobId },
  { heading: 'INSTANCE', cell: ({ instanceId }) => instanceId },
  { heading: 'NEXT-TRY', cell: ({ retryAt }, now) => ahead(retryAt, now) },
  { heading: 'REASON', cell: ({ reason }) => reason },
];

export const sessionColumns: Column<SessionView>[] = [
  { heading: 'NAME', cell: ({ name }) => name },
  { heading: 'SESSION', cell: ({ sessionId }) => sessionId },
  { heading: 'OWNER', cell: ({ owner }) => owner },
  { heading: 'EPOCH', cell: ({ epoch }) => epoch },
  { heading: 'STATE', cell: ({ state }) => state },
  { heading: 'LAST-POLL', cell: ({ lastPollAt }, now) => age(lastPollAt, now, ' ago') },
  { heading: 'CONFLICT', cell: ({ conflict }, now) => conflictText(conflict, now) },
];

/** How a table is rendered where it goes. */
export function renderOptions({ colors, clock, stdout }: Context): RenderOptions {
  return { colors: colors(), nowMs: clock.now(), width: stdout.isTTY ? stdout.columns : undefined };
}

/** Rows as aligned columns without lines; one line each, if no width is given. "-" stands for nothing. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { colors, nowMs, width }: RenderOptions,
): string {
  const texts = rows.map((row) => columns.map(({ cell }) => cellText(cell(row, nowMs))));
  const headings = columns.map(({ heading }) => heading);
  const lastWidth = width === undefined ? undefined : widthOfLast([headings, ...texts], width);
  const table = new Table({
    chars: noLines,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap },
  });
  table.push(columns.map(({ heading }) => colors.bold(heading)));
  for (const cells of texts) {
    table.push(
      cells.map((text, index) => {
        if (headings[index] === 'STATE') return colorState(text, colors);
        const isLast = index === cells.length - 1;
        return isLast && lastWidth !== undefined ? wrap(text, lastWidth) : text;
      }),
    );
  }
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

/** What the columns before it leave. */
function widthOfLast(lines: readonly (readonly string[])[], width: number): number {
  const [headings = []] = lines;
  const before = headings
    .slice(0, -1)
    .map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)) + gap);
  return Math.max(leastWidth, width - before.reduce((sum, one) => sum + one, 0));
}

function shownState({ state, deleting }: ScaleSetView): string {
  return deleting && state !== 'deleted' ? `deleting (${state})` : state;
}

function conflictText(conflict: SessionView['conflict'], nowMs: number): Cell {
  if (!conflict) return null;
  const { attempts, since, nextAttemptAt, ownerText } = conflict;
  const next = formatDuration(Date.parse(nextAttemptAt) - nowMs);
  const whose = ownerText ? `, held by ${ownerText}` : '';
  return `${attempts} attempts in ${age(since, nowMs) ?? '-'}, next in ${next}${whose}`;
}

function age(at: string | null, nowMs: number, suffix = ''): string | null {
  return at === null ? null : `${formatDuration(nowMs - Date.parse(at))}${suffix}`;
}

/** How long until then; "now" when it is over. */
function ahead(at: string | null, nowMs: number): string | null {
  if (at === null) return null;
  const ms = Date.parse(at) - nowMs;
  return ms <= 0 ? 'now' : `in ${formatDuration(ms)}`;
}

function cellText(cell: Cell): string {
  const text = String(cell ?? '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  return text || '-';
}

const stateColors: Record<string, 'green' | 'yellow' | 'red' | 'dim'> = {
  polling: 'green',
  idle: 'green',
  busy: 'green',
  opening: 'yellow',
  waiting: 'yellow',
  pending: 'yellow',
  conflicted: 'red',
  failed: 'red',
  lost: 'red',
  disabled: 'dim',
  deleted: 'dim',
};

function colorState(state: string, colors: Colors): string {
  const color = stateColors[state];
  return color ? colors[color](state) : state;
}

const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};
