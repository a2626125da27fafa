import { stripVTControlCharacters } from 'node:util';
import { systemClock } from '@baton/shared/time';
import { describe, expect, test } from 'vitest';
import { createDisplay } from './display.ts';
import type { Snapshot } from './snapshot.ts';

function setUp(out: { isTTY?: boolean; columns?: number; rows?: number }, env = {}) {
  const written: string[] = [];
  let nowMs = 0;
  const clock = { ...systemClock, monotonic: () => nowMs };
  const write = (text: string) => written.push(text);
  const display = createDisplay({ ...out, write }, { env, clock });
  return { display, written, pass: (ms: number) => (nowMs += ms) };
}

function aSnapshot(elapsedMs = 0): Snapshot {
  const jobs = {
    wanted: 5,
    queued: 0,
    assigned: 0,
    running: 0,
    done: Math.floor(elapsedMs / 1_000),
  };
  return { elapsedMs, jobs, scaleSets: [], runners: [] };
}

describe('on a terminal', () => {
  const terminal = { isTTY: true, columns: 60, rows: 30 };

  test('redraws in place, with what was said since the first frame', () => {
    const { display, written } = setUp(terminal, { NO_COLOR: '1' });
    display.say('before');
    display.show(aSnapshot());
    const height = written.at(-1)?.split('\n').length ?? 0;

    display.say('killed it');
    display.show(aSnapshot(1_000));

    expect(written[0]).toBe('before\n');
    expect(written).toHaveLength(3);
    expect(written[2]).toContain(`\x1b[${height - 1}A`);
    expect(written[2]).toContain('0.0s  killed it');
  });

  test('never writes more than fits', () => {
    const { display, written } = setUp({ isTTY: true, columns: 20, rows: 6 }, { NO_COLOR: '1' });

    display.show(aSnapshot());

    const lines = stripVTControlCharacters(written[0] ?? '').split('\n');
    expect(lines).toHaveLength(6);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(21);
  });

  test('gives the cursor back, once', () => {
    const { display, written } = setUp(terminal);
    display.show(aSnapshot());

    display.close();
    display.close();
    display.say('after');

    expect(written.slice(1)).toEqual(['\x1b[?25h', 'after\n']);
  });
});

describe('elsewhere', () => {
  test('writes a line only when something changed, and at most every 2 s', () => {
    const { display, written, pass } = setUp({});
    display.show(aSnapshot());
    pass(1_900);
    display.show(aSnapshot(1_900));
    pass(200);
    display.show(aSnapshot(2_100));
    pass(5_000);
    display.show(aSnapshot(2_200));

    expect(written).toHaveLength(2);
    expect(written[1]).toContain('2.1s  queued 0  assigned 0  running 0  done 2 of 5');
  });

  test('writes no control characters', () => {
    const { display, written } = setUp({});

    display.say('hello');
    display.show(aSnapshot());
    display.close();

    expect(written.join('')).not.toContain('\x1b');
  });
});
