import { systemClock } from '@baton/shared/time';
import { CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import type { Io } from './io.ts';
import { parseOptions } from './options.ts';

function setUp() {
  const out: string[] = [];
  const err: string[] = [];
  const never = new AbortController().signal;
  const io: Io = {
    env: {},
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    clock: systemClock,
    random: () => 0.5,
    stop: never,
    hurry: never,
    atExit: () => undefined,
  };
  return { io, out, err };
}

describe('parseOptions', () => {
  test('without options jobs arrive without end', () => {
    expect(parseOptions([], setUp().io)).toEqual({
      jobs: undefined,
      exit: false,
      kill: undefined,
      seed: 500_000,
      scaleSets: 2,
      provider: 'process',
      keepLogs: false,
      trace: undefined,
      logLevel: 'info',
      given: [],
    });
  });

  test.each([[['--exit']], [['--kill', 'nats']]])('%j means 40 jobs', (line) => {
    expect(parseOptions(line, setUp().io).jobs).toBe(40);
  });

  test('--trace alone means a file in the working folder', () => {
    expect(parseOptions(['--trace', '--exit'], setUp().io)).toMatchObject({
      trace: 'baton-trace.jsonl',
      exit: true,
    });
  });

  test('takes everything from the line', () => {
    const line =
      '--jobs 8 --exit --kill janitor --seed 3 --scale-sets 4 --provider process --keep-logs --trace my.jsonl --log-level debug';

    expect(parseOptions(line.split(' '), setUp().io)).toEqual({
      jobs: 8,
      exit: true,
      kill: 'janitor',
      seed: 3,
      scaleSets: 4,
      provider: 'process',
      keepLogs: true,
      trace: 'my.jsonl',
      logLevel: 'debug',
      given: [
        '--jobs',
        '--exit',
        '--kill',
        '--seed',
        '--scale-sets',
        '--provider',
        '--keep-logs',
        '--trace',
        '--log-level',
      ],
    });
  });

  test.each([
    ['--jobs 0', 'At least 1'],
    ['--jobs many', 'Not a whole number'],
    ['--kill everything', 'Allowed choices are listener, provisioner, janitor, nats'],
    ['--provider moon', 'Allowed choices are process, docker, external'],
    ['--sead 1', "unknown option '--sead'"],
    ['extra', 'too many arguments'],
  ])('%s is explained on stderr', (line, text) => {
    const { io, out, err } = setUp();

    expect(() => parseOptions(line.split(' '), io)).toThrow(CommanderError);
    expect(err.join('')).toContain(text);
    expect(out).toEqual([]);
  });
});
