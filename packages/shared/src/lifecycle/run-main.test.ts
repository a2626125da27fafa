import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startTestProcess, type TestProcess } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { AppError, ConfigError } from '../errors/index.ts';
import { exitCodeOf } from './run-main.ts';

const service = fileURLToPath(new URL('./testing/service-under-test.ts', import.meta.url));

describe('exitCodeOf', () => {
  test.each([
    [new ConfigError('wrong'), 78],
    [new AppError('nats', 'away'), 69],
    [new AppError('unexpected', 'bug'), 1],
    [new Error('bug'), 1],
    ['text', 1],
  ])('%s is %i', (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});

describe('runMain', { timeout: 30_000 }, () => {
  test('a configuration that cannot be used is one message and exit code 78', async () => {
    const { code, stderr } = await run('has no configuration');

    expect(code).toBe(78);
    expect(stderr).toBe('test: TEST_NAME: is not set\n');
  });

  test('what the operator can mend is told without a stack, also later', async () => {
    const config = await run('is wrongly configured');
    const nats = await run('has no NATS');

    expect([config.code, nats.code]).toEqual([78, 69]);
    expect(config.stderr).toContain('\ntest: the group does not exist\n');
    expect(nats.stderr).toContain('\ntest: NATS cannot be reached\n');
    expect(config.stderr + nats.stderr).not.toContain('    at ');
  });

  test('a port that is in use is exit code 78', async () => {
    await using other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = address && typeof address === 'object' ? address.port : 0;

    const { code, stderr } = await run('drains', { port });

    expect(code).toBe(78);
    expect(stderr).toMatch(
      new RegExp(`^test: health port 127.0.0.1:${port} cannot be opened.*BATON_HEALTH_PORT.*\n$`),
    );
  });

  test('a bug is exit code 1 with its stack in the log', async () => {
    const { code, stderr } = await run('crashes');

    expect(code).toBe(1);
    expect(stderr).toContain('"level":"fatal"');
    expect(stderr).toContain('TypeError: undefined is not a function\\n    at ');
  });

  test('a service whose work is over ends with 0', async () => {
    expect((await run('ends')).code).toBe(0);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('drains on %s and ends with 0', async (name) => {
    await using child = start('drains');
    await child.said('service ready');

    child.signal(name);

    const { code, stderr } = await end(child);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /service starting.*service ready.*draining.*last work done.*service drained/s,
    );
  });

  test('being told to stop is no failure when the work ends with that reason', async () => {
    await using child = start('stops with the reason');
    await child.said('service starting');

    child.signal('SIGTERM');

    const { code, stderr } = await end(child);
    expect(code).toBe(0);
    expect(stderr).toContain('service drained');
  });

  test('work that is cut short near the end of the budget is a failure', async () => {
    await using child = start('hangs until aborted', { drainTimeoutMs: 300 });
    await child.said('service starting');

    child.signal('SIGTERM');

    const { code, stderr } = await end(child);
    expect(code).toBe(1);
    expect(stderr).toContain('work was cut short');
  });

  test('a drain that takes too long is ended with 1', async () => {
    await using child = start('hangs', { drainTimeoutMs: 300 });
    await child.said('service starting');

    child.signal('SIGTERM');

    const { code, stderr } = await end(child);
    expect(code).toBe(1);
    expect(stderr).toContain('drain took too long');
  });

  test('a second signal ends it at once', async () => {
    await using child = start('hangs', { drainTimeoutMs: 60_000 });
    await child.said('service starting');
    child.signal('SIGTERM');
    await child.said('draining');

    child.signal('SIGINT');

    const { code, stderr } = await end(child);
    expect(code).toBe(1);
    expect(stderr).toContain('second signal, ending at once');
  });
});

function start(behaviour: string, { port = 0, drainTimeoutMs = 5_000 } = {}): TestProcess {
  const args = [behaviour, String(port), String(drainTimeoutMs)];
  return startTestProcess(service, { args });
}

async function run(behaviour: string, options: { port?: number } = {}) {
  await using child = start(behaviour, options);
  return await end(child);
}

async function end(child: TestProcess) {
  return { code: await child.exited(), stderr: child.stderr };
}
