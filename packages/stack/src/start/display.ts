import { stripVTControlCharacters } from 'node:util';
import type { Clock } from '@baton/shared/time';
import picocolors from 'picocolors';
import type { Io, Output } from './io.ts';
import { renderPlain, renderView } from './render-view.ts';
import type { Snapshot } from './snapshot.ts';

/** What the person who started the stack sees of it. */
export interface Display {
  /** Something happened. */
  say(text: string): void;
  /** How things are now. */
  show(snapshot: Snapshot): void;
  /** Ends the live view; `say` goes on. May be called twice. */
  close(): void;
}

/** A live view on a terminal, plain lines everywhere else. */
export function createDisplay(out: Output, { env, clock }: Pick<Io, 'env' | 'clock'>): Display {
  const live = out.isTTY === true && env.TERM !== 'dumb';
  return live ? new LiveView(out, !env.NO_COLOR, clock) : new PlainLines(out, clock);
}

const keptEvents = 8;
const [hideCursor, showCursor] = ['\x1b[?25l', '\x1b[?25h'];
const [endOfLine, endOfScreen] = ['\x1b[K', '\x1b[J'];

/** Redraws its lines in place. */
class LiveView implements Display {
  readonly #out: Output;
  readonly #colors: ReturnType<typeof picocolors.createColors>;
  readonly #stamp: () => string;
  #events: string[] = [];
  /** Lines on the screen that are ours; undefined while nothing is shown. */
  #height: number | undefined;

  constructor(out: Output, colored: boolean, clock: Clock) {
    this.#out = out;
    this.#colors = picocolors.createColors(colored);
    this.#stamp = stamps(clock);
  }

  say(text: string): void {
    if (this.#height === undefined) this.#out.write(`${text}\n`);
    else this.#events = [...this.#events, `${this.#stamp()}  ${text}`].slice(-keptEvents);
  }

  show(snapshot: Snapshot): void {
    const { columns = 80, rows = 24 } = this.#out;
    const options = { colors: this.#colors, events: this.#events };
    const lines = renderView(snapshot, options)
      .flatMap((line) => line.split('\n'))
      .slice(0, rows - 1)
      .map((line) => cut(line, columns));
    const up = this.#height ? `\x1b[${this.#height}A` : '';
    const text = lines.map((line) => `${line}${endOfLine}\n`).join('');
    this.#out.write(`${hideCursor}\r${up}${text}${endOfScreen}`);
    this.#height = lines.length;
  }

  close(): void {
    if (this.#height === undefined) return;
    this.#height = undefined;
    this.#out.write(showCursor);
  }
}

const plainEveryMs = 2_000;

/** A line for every event, and one every 2 s when things are not as they were. */
class PlainLines implements Display {
  readonly #out: Output;
  readonly #clock: Clock;
  readonly #stamp: () => string;
  #shown = '';
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(out: Output, clock: Clock) {
    this.#out = out;
    this.#clock = clock;
    this.#stamp = stamps(clock);
  }

  say(text: string): void {
    this.#out.write(`${this.#stamp()}  ${text}\n`);
  }

  show(snapshot: Snapshot): void {
    const now = this.#clock.monotonic();
    const line = renderPlain(snapshot);
    if (line === this.#shown || now < this.#shownAt + plainEveryMs) return;
    this.#shown = line;
    this.#shownAt = now;
    this.say(line);
  }

  close(): void {
    // Nothing to restore.
  }
}

/** Tells how long ago it was made: "  12.3s". */
function stamps(clock: Clock): () => string {
  const startedAt = clock.monotonic();
  return () => `${((clock.monotonic() - startedAt) / 1_000).toFixed(1).padStart(6)}s`;
}

/** A line that is too long loses its colours with its end: an escape must never be cut in two. */
function cut(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length <= columns ? line : plain.slice(0, columns);
}
