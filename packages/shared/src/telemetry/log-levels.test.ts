import { FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { LogLevels, logComponents, parseLogSetting } from './log-levels.ts';

describe('parseLogSetting', () => {
  test.each([
    ['warn', { all: 'warn', components: {} }],
    ['poll=debug', { all: 'info', components: { poll: 'debug' } }],
    [
      ' warn , poll=debug, nats = silent ',
      { all: 'warn', components: { poll: 'debug', nats: 'silent' } },
    ],
    ['debug,poll=warn,info,poll=error', { all: 'info', components: { poll: 'error' } }],
  ])('understands "%s"', (text, setting) => {
    expect(parseLogSetting(text)).toEqual(setting);
  });

  test.each(['loud', 'poll', 'info,', 'polls=debug', 'poll=loud', 'poll=debug=info', '=info'])(
    'refuses "%s"',
    (text) => {
      expect(parseLogSetting(text)).toBeUndefined();
    },
  );
});

describe('LogLevels', () => {
  const minute = 60_000;

  function setUp() {
    const clock = new FakeClock();
    const levels = new LogLevels({ all: 'warn', components: { poll: 'info' } });
    const of = (name: string) => levels.current.find(({ component }) => component === name);
    return { clock, levels, of };
  }

  test('are those that were configured, for every component', () => {
    const { levels, of } = setUp();

    expect(levels.current.map(({ component }) => component)).toEqual(logComponents);
    expect(of('poll')).toEqual({ component: 'poll', level: 'info', configured: 'info' });
    expect(of('nats')).toEqual({ component: 'nats', level: 'warn', configured: 'warn' });
  });

  test('change for a time, and fall back to what each was configured to', async () => {
    const { clock, levels, of } = setUp();

    levels.change(['poll', 'nats'], { level: 'debug', forMs: 10 * minute, clock });
    const changed = [of('poll'), of('nats'), of('lease')];
    await clock.advance(10 * minute);

    const until = '2026-01-01T00:10:00.000Z';
    expect(changed).toMatchObject([
      { level: 'debug', configured: 'info', until },
      { level: 'debug', configured: 'warn', until },
      { level: 'warn' },
    ]);
    expect([of('poll'), of('nats')]).toEqual([
      { component: 'poll', level: 'info', configured: 'info' },
      { component: 'nats', level: 'warn', configured: 'warn' },
    ]);
    expect(clock.sleeping).toBe(0);
  });

  test('a later change takes the place of an earlier one, with its time', async () => {
    const { clock, levels, of } = setUp();

    levels.change(['poll'], { level: 'debug', forMs: minute, clock });
    levels.change(['poll'], { level: 'error', forMs: 5 * minute, clock });
    expect(clock.sleeping).toBe(1);
    await clock.advance(2 * minute);

    expect(of('poll')).toMatchObject({ level: 'error', until: '2026-01-01T00:05:00.000Z' });
  });

  test('a reset ends a change at once', () => {
    const { clock, levels, of } = setUp();

    levels.change(['poll'], { level: 'debug', forMs: minute, clock });
    levels.reset(['poll', 'nats']);

    expect(of('poll')).toEqual({ component: 'poll', level: 'info', configured: 'info' });
  });
});
