import { FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { AppError } from '../errors/index.ts';
import { LogLevels, parseLogSetting } from './log-levels.ts';
import { createLogger } from './logger.ts';

function setUp(setting: string) {
  const lines: Record<string, unknown>[] = [];
  const levels = new LogLevels(parseLogSetting(setting) ?? { all: 'silent', components: {} });
  const read = (text: string) => JSON.parse(text) as Record<string, unknown>;
  const to = { write: (text: string) => void lines.push(read(text)) };
  const log = createLogger({ service: 'listener', instance: 'listener-0', levels, to });
  return { lines, levels, log };
}

const away = new AppError('nats', 'read x failed', {
  retryable: true,
  details: { disconnected: true },
  cause: new Error('TIMEOUT'),
});
const slow = new AppError('nats', 'read x failed', {
  retryable: true,
  cause: new Error('TIMEOUT'),
});

describe('the log', () => {
  test('is lines of JSON with what they are about, and their own fields over those bound', () => {
    const { lines, log } = setUp('info');

    log.info('service ready');
    log.child({ component: 'lease', scaleSetId: 'linux' }).warn({ epoch: 3 }, 'lease lost');
    log.child({ scaleSetId: 'linux' }).child({ epoch: 4 }).error({ epoch: 5 }, 'lease lost');

    const base = {
      service: 'listener',
      instance: 'listener-0',
      time: expect.any(String) as string,
    };
    expect(lines).toEqual([
      { ...base, level: 'info', component: 'process', msg: 'service ready' },
      {
        ...base,
        level: 'warn',
        component: 'lease',
        scaleSetId: 'linux',
        epoch: 3,
        msg: 'lease lost',
      },
      {
        ...base,
        level: 'error',
        component: 'process',
        scaleSetId: 'linux',
        epoch: 5,
        msg: 'lease lost',
      },
    ]);
  });

  test('shows of each component what its level allows, whoever made the logger', () => {
    const { lines, log } = setUp('warn,poll=debug,nats=silent');
    const poll = log.child({ component: 'poll' }).child({ scaleSetId: 'linux' });

    for (const one of [log, poll, log.child({ component: 'nats' })]) {
      one.debug('a');
      one.info('b');
      one.fatal('c');
    }

    expect(lines.map(({ component, msg }) => `${String(component)} ${String(msg)}`)).toEqual([
      'process c',
      'poll a',
      'poll b',
      'poll c',
    ]);
  });

  test('follows a change in loggers that were made before it', async () => {
    const { lines, log, levels } = setUp('info');
    const clock = new FakeClock();
    const old = log.child({ component: 'lease' }).child({ scaleSetId: 'linux' });

    levels.change(['lease'], { level: 'debug', forMs: 1_000, clock });
    old.debug('seen');
    await clock.advance(1_000);
    old.debug('not seen');

    expect(lines).toMatchObject([{ level: 'debug', msg: 'seen' }]);
  });

  test('does not tell what fails because NATS is away, but for debugging', () => {
    const [info, debug] = [setUp('info'), setUp('debug')];

    for (const { log } of [info, debug]) {
      log.child({ scaleSetId: 'linux' }).warn({ err: away }, 'not renewed');
      log.warn('nats connection lost');
    }

    expect(info.lines).toMatchObject([{ level: 'warn', msg: 'nats connection lost' }]);
    expect(debug.lines).toMatchObject([
      {
        level: 'debug',
        scaleSetId: 'linux',
        msg: 'not renewed',
        err: { message: 'read x failed: TIMEOUT' },
      },
      { level: 'warn' },
    ]);
  });

  test('tells trouble that passes by itself in one line, with its causes', () => {
    const { lines, log } = setUp('info');

    log.warn({ err: slow }, 'not renewed');

    expect(lines).toMatchObject([
      {
        level: 'warn',
        err: { code: 'nats', message: 'read x failed: TIMEOUT' },
        msg: 'not renewed',
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('    at ');
  });

  test('tells what nobody expects with its stack', () => {
    const { lines, log } = setUp('info');

    log.error({ err: new TypeError('undefined is not a function') }, 'broken');
    log.error({ err: new AppError('unexpected', 'bug') }, 'broken');

    expect(lines).toMatchObject([
      { err: { type: 'TypeError', stack: expect.stringContaining('    at ') as string } },
      { err: { type: 'AppError', stack: expect.stringContaining('    at ') as string } },
    ]);
  });

  test('does not compile with a field that is not declared, wherever it comes from', () => {
    const { lines, log } = setUp('silent');
    const misspelt = { scaleSetID: 'linux' };

    // @ts-expect-error it is scaleSetId
    log.info({ scaleSetID: 'linux' }, 'a');
    // @ts-expect-error the same, in what is spread
    log.info({ epoch: 1, ...misspelt }, 'b');
    // @ts-expect-error the same, bound
    log.child(misspelt).info('c');
    // @ts-expect-error a number is no scale set
    log.info({ scaleSetId: 5 }, 'd');
    // @ts-expect-error there is no such component
    expect(() => log.child({ component: 'polls' })).toThrow('no component polls');

    expect(lines).toEqual([]);
  });
});
