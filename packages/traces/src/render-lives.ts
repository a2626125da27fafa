import { type Colors, type RenderOptions, renderLife } from './render-life.ts';
import type { RunnerLife } from './runner-lives.ts';
import type { SpanIndex } from './span-index.ts';
import { stepTimes } from './step-times.ts';

/** The life of each of these runners as a waterfall under a heading; a text of many lines. */
export function renderLives(
  index: SpanIndex,
  lives: readonly RunnerLife[],
  options: RenderOptions,
): string {
  return lives
    .map((life) => [...headingOf(life, options.colors), ...renderLife(index, life, options)])
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function headingOf(life: RunnerLife, colors: Colors): string[] {
  const { runner, poll, runnerName, runnerId, traceId, endMs, zeroMs, ownMs } = life;
  const whole = `${text(endMs - zeroMs)} in all, ${text(ownMs)} without idling and its job`;
  const missing = [
    ...(runner ? [] : ['it was not gone, or nobody lived to tell']),
    ...(runner && !poll ? ['no poll that asked for it was told'] : []),
  ];
  return [
    `${colors.bold(`runner ${runnerName}`)} (${runnerId}): ${whole}`,
    `trace ${traceId}${missing.map((one) => `; ${one}`).join('')}`,
  ];
}

/** Where the time of these runners went, a line for each step. */
export function renderSteps(lives: readonly RunnerLife[], colors: Colors): string {
  const count = lives.length === 1 ? '1 runner' : `${lives.length} runners`;
  const rows = stepTimes(lives).map(({ step, ...times }) => [
    step,
    String(times.count),
    text(times.p50Ms),
    text(times.p95Ms),
    text(times.maxMs),
  ]);
  const table = [[`STEPS OF ${count.toUpperCase()}`, 'COUNT', 'P50', 'P95', 'MAX'], ...rows];
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((cells) => cells[column]?.length ?? 0)),
  );
  const lines = table.map((cells) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
  return `${lines.map((line, place) => (place === 0 ? colors.bold(line) : line)).join('\n')}\n`;
}

function text(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}
