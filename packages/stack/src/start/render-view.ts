import type picocolors from 'picocolors';
import type { ScaleSetLine, Snapshot } from './snapshot.ts';

type Colors = ReturnType<typeof picocolors.createColors>;

interface ViewOptions {
  colors: Colors;
  /** What happened last, oldest first. */
  events: readonly string[];
}

const jobBarWidth = 40;
const setBarWidth = 20;

/** The live view, line by line. */
export function renderView(snapshot: Snapshot, { colors, events }: ViewOptions): string[] {
  const { jobs, scaleSets } = snapshot;
  return [
    `${colors.bold('Baton')}  ${durationText(snapshot.elapsedMs)}`,
    ...(jobs ? ['', ...jobLines(jobs, colors)] : []),
    '',
    ...scaleSetLines(scaleSets, colors),
    '',
    `${colors.bold('runners')}  ${runnersText(snapshot) || 'none'}`,
    '',
    ...events.map((event) => colors.dim(event)),
  ];
}

/** The same in one line, for logs. */
export function renderPlain(snapshot: Snapshot): string {
  const { jobs, scaleSets } = snapshot;
  const sets = scaleSets.map(({ name, owner, state, assigned, alive }) => {
    const holder = state === 'polling' ? (owner ?? state) : state;
    return `${name} ${holder} ${assigned}/${alive}`;
  });
  return [
    ...(jobs ? [jobsText(jobs)] : []),
    `assigned/runners: ${sets.join(', ') || 'none'}`,
    `runners: ${runnersText(snapshot) || 'none'}`,
  ].join(' | ');
}

function jobLines(jobs: NonNullable<Snapshot['jobs']>, colors: Colors): string[] {
  const { wanted, queued, assigned, running, done } = jobs;
  const open = queued + assigned + running;
  const parts = [
    { count: wanted === undefined ? 0 : done, mark: '█', color: colors.green },
    { count: running, mark: '█', color: colors.yellow },
    { count: assigned, mark: '▒', color: colors.yellow },
  ];
  return [
    `${colors.bold('jobs')}     ${bar(parts, wanted ?? open, jobBarWidth)}`,
    `         ${jobsText(jobs)}`,
  ];
}

function jobsText({ wanted, queued, assigned, running, done }: NonNullable<Snapshot['jobs']>) {
  const all = wanted === undefined ? '' : ` of ${wanted}`;
  return `queued ${queued}  assigned ${assigned}  running ${running}  done ${done}${all}`;
}

function scaleSetLines(scaleSets: readonly ScaleSetLine[], colors: Colors): string[] {
  const rows = scaleSets.map((set) => ({
    cells: [set.name, set.owner ?? '-', set.state, sinceText(set), String(set.assigned)],
    set,
  }));
  const heading = ['SCALE SET', 'SESSION AT', 'STATE', 'SINCE', 'JOBS'];
  const widths = heading.map((text, column) =>
    Math.max(text.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return [
    colors.bold(`${line(heading)}  RUNNERS`),
    ...rows.map(({ cells, set }) => {
      const color = set.state === 'polling' ? (text: string) => text : colors.yellow;
      return `${color(line(cells))}  ${runnerBar(set, colors)}`;
    }),
    ...scaleSets
      .filter(({ state, reason }) => state !== 'polling' && reason !== undefined)
      .map(({ name, reason }) => colors.yellow(`${name}: ${reason ?? ''}`)),
  ];
}

function runnerBar({ alive, busy, max }: ScaleSetLine, colors: Colors): string {
  const parts = [
    { count: busy, mark: '█', color: colors.green },
    { count: Math.max(0, alive - busy), mark: '▒', color: colors.yellow },
  ];
  return `${bar(parts, max, setBarWidth)} ${alive} of ${max}`;
}

interface BarPart {
  count: number;
  mark: string;
  color: (text: string) => string;
}

/** A bar of `width` marks, of which each part gets its share of `total`. */
function bar(parts: readonly BarPart[], total: number, width: number): string {
  let reached = 0;
  let filled = 0;
  const texts = parts.map(({ count, mark, color }) => {
    reached += count;
    const end = total > 0 ? Math.min(width, Math.round((reached / total) * width)) : 0;
    const text = color(mark.repeat(end - filled));
    filled = end;
    return text;
  });
  return `${texts.join('')}${'░'.repeat(width - filled)}`;
}

function runnersText({ runners }: Snapshot): string {
  return runners.map(({ state, count }) => `${state} ${count}`).join('  ');
}

function sinceText({ forMs }: ScaleSetLine): string {
  return forMs === undefined ? '-' : durationText(forMs);
}

/** "45s", "3m12s", "2h5m". */
function durationText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${seconds % 60}s`;
  return `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}
