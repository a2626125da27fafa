import { attributes } from '@baton/shared/telemetry';
import { type Colors, oneLine, type RenderOptions, renderLife } from './render-life.ts';
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

/** These runners in their order, a line for each. */
export function renderList(lives: readonly RunnerLife[], colors: Colors): string {
  const rows = lives.map(({ runnerName, zeroMs, endMs, ownMs, runner, steps }) => {
    const job = steps.findLast(({ name }) => name === 'job')?.attributes ?? {};
    const told = [job[attributes.jobName], job[attributes.jobResult]];
    const end = runner?.error ?? runner?.attributes[attributes.markReason] ?? '-';
    return [
      runnerName,
      text(endMs - zeroMs),
      text(ownMs),
      String(end),
      told.filter((one) => one !== undefined).join(' ') || '-',
    ].map(oneLine);
  });
  return renderTable([['RUNNER', 'IN ALL', 'ITS OWN', 'END', 'JOB'], ...rows], colors);
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
  const heading = [`STEPS OF ${count.toUpperCase()}`, 'COUNT', 'P50', 'P95', 'MAX'];
  return renderTable([heading, ...rows], colors);
}

/** Aligned columns under a heading: numbers to the right, words to the left. */
function renderTable(table: readonly (readonly string[])[], colors: Colors): string {
  const [headings = [], ...rows] = table;
  const columns = headings.map((heading, column) => {
    const cells = rows.map((row) => row[column] ?? '');
    const width = Math.max(heading.length, ...cells.map(({ length }) => length));
    return {
      width,
      isNumber: column > 0 && cells.every((cell) => /^\d+(\.\d+)?( m?s)?$/.test(cell)),
    };
  });
  const lines = table.map((cells) =>
    columns
      .map(({ width, isNumber }, column) => {
        const cell = cells[column] ?? '';
        return isNumber ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
  return `${lines.map((line, place) => (place === 0 ? colors.bold(line) : line)).join('\n')}\n`;
}

function text(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}
