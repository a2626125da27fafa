import type picocolors from 'picocolors';
import { drawBar } from './draw-bar.ts';
import { keyAttributes } from './key-attributes.ts';
import { type LifeRow, lifeRows } from './life-rows.ts';
import type { RunnerLife } from './runner-lives.ts';
import type { SpanIndex } from './span-index.ts';

export type Colors = ReturnType<typeof picocolors.createColors>;

export interface RenderOptions {
  /** Without colours the bars are ASCII as well. */
  colors: Colors;
  /** Of the terminal, in characters. */
  width: number;
}

type Paint = (text: string) => string;

interface Line {
  start: string;
  took: string;
  process: string;
  span: string;
  about: string;
}

/** Of the bar, in characters; `share` of what the other columns leave. */
const barSize = { least: 10, most: 60, share: 0.45 };
const gap = '  ';
const titles: Line = { start: 'START', took: 'TOOK', process: 'PROCESS', span: 'SPAN', about: '' };

/**
 * The waterfall of a life, a line for each span: when it began, in s since the poll was answered, how long
 * it took, whose it is, and what is worth knowing of it. No line is wider than `width`.
 */
export function renderLife(index: SpanIndex, life: RunnerLife, options: RenderOptions): string[] {
  const { colors, width } = options;
  const rows = lifeRows(index, life).map((row) => ({ row, line: lineOf(row, life.zeroMs) }));
  const widest = (column: keyof Line) =>
    Math.max(...[titles, ...rows.map(({ line }) => line)].map((line) => line[column].length));
  const [start, took, process, span] = [
    widest('start'),
    widest('took'),
    widest('process'),
    widest('span'),
  ];
  const room = width - (start + took + process + span + 5 * gap.length);
  const barWidth = Math.min(
    barSize.most,
    Math.max(barSize.least, Math.floor(room * barSize.share)),
  );
  const print = (line: Line, bar: string, paint: { main: Paint; about: Paint }) => {
    const left = [line.start.padStart(start), line.took.padStart(took)].join(gap);
    const right = [bar, line.process.padEnd(process), line.span.padEnd(span)].join(gap);
    const own = `${left}${gap}`.slice(0, width);
    const main = `${right}${gap}`.slice(0, width - own.length);
    const about = cut(line.about, width - own.length - main.length);
    return about === ''
      ? `${own}${paint.main(main.trimEnd())}`
      : `${own}${paint.main(main)}${paint.about(about)}`;
  };
  return [
    print(titles, ' '.repeat(barWidth), { main: colors.bold, about: colors.bold }),
    ...rows.map(({ row, line }) => {
      const bar = drawBar(row, life, { width: barWidth, ascii: !colors.isColorSupported });
      return print(line, bar, paintOf(row, colors));
    }),
  ];
}

function lineOf({ span, depth, count, startMs, endMs }: LifeRow, zeroMs: number): Line {
  const name = `${'  '.repeat(depth)}${oneLine(span.name)}${count > 1 ? ` x${count}` : ''}`;
  const plain = count > 1 ? '' : keyAttributes(span);
  const about = span.error === undefined ? plain : `failed: ${span.error}`;
  const [start, took] = [seconds(startMs - zeroMs), seconds(endMs - startMs)];
  return { start, took, process: oneLine(span.instance), span: name, about: oneLine(about) };
}

function paintOf({ span }: LifeRow, colors: Colors): { main: Paint; about: Paint } {
  if (span.error !== undefined) return { main: colors.red, about: colors.red };
  const byService: Record<string, Paint> = {
    'baton-listener': colors.cyan,
    'baton-provisioner': colors.green,
    'baton-janitor': colors.magenta,
  };
  return { main: byService[span.service] ?? ((text) => text), about: colors.dim };
}

/** To a ms, with the sign of what was before the answer. */
function seconds(ms: number): string {
  return (Math.round(ms) / 1_000).toFixed(3);
}

/** A file is anybody's: nothing in it may steer the terminal. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

function cut(text: string, room: number): string {
  if (text.length <= room) return text;
  return room < 8 ? '' : `${text.slice(0, room - 2)}..`;
}
