import { open } from 'node:fs/promises';
import { eventually, FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { EventLoopDelay } from './event-loop-delay.ts';
import { processMetrics } from './process-metrics.ts';

function read(name: string): number {
  const source = processMetrics().find((one) => one.name === name);
  if (!source || source.kind === 'histogram') throw new Error(`no ${name}`);
  const [measurement] = source.read();
  return measurement?.value ?? Number.NaN;
}

/** Keeps the event loop, and everybody who waits for it. */
function hold(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('the metrics of a process', () => {
  test('tell its CPU time, user and system', () => {
    const before = read('process_cpu_seconds_total');

    hold(60);

    const { user, system } = process.cpuUsage();
    expect(read('process_cpu_seconds_total')).toBeGreaterThan(before);
    expect(read('process_cpu_seconds_total')).toBeGreaterThanOrEqual((user + system) / 1e6);
  });

  test('tell its open files, one more for each that is opened', async () => {
    const before = read('process_open_fds');

    await using _file = await open('/dev/null');

    expect(read('process_open_fds')).toBe(before + 1);
  });

  test('tell when it began', () => {
    const age = Date.now() / 1_000 - read('process_start_time_seconds');

    expect(Math.abs(age - process.uptime())).toBeLessThan(1);
  });

  test('tell what runs', () => {
    const info = processMetrics().find(({ name }) => name === 'baton_build_info');

    expect([...(info?.read() ?? [])]).toEqual([
      {
        value: 1,
        labels: {
          version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
          node: process.versions.node,
        },
      },
    ]);
  });
});

describe('EventLoopDelay', () => {
  test('shows the longest wait to whoever reads, for a minute at least, and then no more', async () => {
    const clock = new FakeClock();
    const delay = new EventLoopDelay(clock);
    await eventually(() => {
      hold(250);
      expect(delay.longest()).toBeGreaterThan(0.2);
    });

    const seen = [delay.longest(), delay.longest()];
    await clock.advance(60_000);
    const last = delay.longest();
    await clock.advance(30_000);
    const another = delay.longest();
    await clock.advance(30_000);
    delay.longest();
    const after = delay.longest();

    for (const value of [...seen, last, another]) expect(value).toBeGreaterThan(0.2);
    expect(after).toBeLessThan(0.2);
  });
});
