import Table from 'cli-table3';
import type { Colors } from './context.ts';
import { formatDuration } from './core/duration.ts';
import type { RunnerView } from './core/runner-view.ts';
import type { ScaleSetView, SessionView } from './core/scale-set-view.ts';

type Cell = string | number | null;

interface Column<Row> {
  heading: string;
  cell: (row: Row, nowMs: number) => Cell;
}

interface RenderOptions {
  colors: Colors;
  nowMs: number;
}

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

/** Rows as aligned columns without lines, one line each; "-" stands for nothing. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { colors, nowMs }: RenderOptions,
): string {
  const table = new Table({
    chars: noLines,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  table.push(columns.map(({ heading }) => colors.bold(heading)));
  for (const row of rows) {
    table.push(
      columns.map(({ heading, cell }) => {
        const text = cellText(cell(row, nowMs));
        return heading === 'STATE' ? colorState(text, colors) : text;
      }),
    );
  }
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
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
