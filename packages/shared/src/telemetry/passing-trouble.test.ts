import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { AppError } from '../errors/index.ts';
import { demote, shownError } from './passing-trouble.ts';

function setUp(level: string) {
  const lines: unknown[] = [];
  const options = { level, serializers: { err: shownError }, hooks: { logMethod: demote } };
  return { lines, log: pino(options, { write: (text) => lines.push(JSON.parse(text)) }) };
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
  test('does not tell what fails because NATS is away, but for debugging', () => {
    const [info, debug] = [setUp('info'), setUp('debug')];

    for (const { log } of [info, debug]) {
      log.child({ scaleSetId: 'linux' }).warn({ err: away }, 'not renewed');
      log.warn('nats connection lost');
    }

    expect(info.lines).toMatchObject([{ level: 40, msg: 'nats connection lost' }]);
    expect(debug.lines).toMatchObject([
      {
        level: 20,
        scaleSetId: 'linux',
        msg: 'not renewed',
        err: { message: 'read x failed: TIMEOUT' },
      },
      { level: 40 },
    ]);
  });

  test('tells trouble that passes by itself in one line, with its causes', () => {
    const { lines, log } = setUp('info');

    log.warn({ err: slow }, 'not renewed');

    expect(lines).toMatchObject([
      { level: 40, err: { code: 'nats', message: 'read x failed: TIMEOUT' }, msg: 'not renewed' },
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
});
