import type { Floor } from './measure/floor.ts';
import type { Range } from './measure/percentiles.ts';

/** Rows of text as columns; the first row is the heading. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A figure of several runs, next to what nothing can be faster or cheaper than. */
interface Figure {
  what: string;
  value: number;
  range?: Range | undefined;
  floor?: number | undefined;
  ratio?: number | undefined;
  goal?: string | undefined;
}

export function figureTable(figures: readonly Figure[]): string {
  const heading = ['', 'measured', 'least', 'most', 'floor', 'ratio', 'goal'];
  const rows = figures.map(({ what, value, range, floor, ratio, goal }) =>
    [what, value, range?.min, range?.max, floor, ratio, goal].map((cell) => String(cell ?? '')),
  );
  return renderTable([heading, ...rows]);
}

/** What the floors of all benchmarks have in common; medians. */
export function floorLine(floor: Floor): string {
  const { messagesPerS, cpuMsPerMessage, cpuMsPerPacedMessage } = floor;
  return [
    `floor: a bare Node process starts and ends in ${floor.processStartP50Ms} ms`,
    `NATS round trip ${floor.natsRoundTripP50Ms} ms`,
    `HTTP round trip to the simulator ${floor.httpP50Ms} ms`,
    `a message through a bare stream ${floor.natsP50Ms} ms, ${messagesPerS}/s at ${cpuMsPerMessage} ms of CPU each`,
    `${cpuMsPerPacedMessage} ms each where 50 come in a second`,
  ].join('; ');
}
