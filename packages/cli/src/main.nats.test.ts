import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { baton, requiredEnv, startTestNats } from './testing/setup.ts';

let nats: Awaited<ReturnType<typeof startTestNats>>;

beforeEach(async () => {
  nats = await startTestNats();
});
afterEach(async () => {
  await nats.stop();
});

test('the process prints, exits by itself and gives its exit code', async () => {
  await nats.run('topology apply');

  const shown = await runProcess(['get', 'scalesets', '-o', 'json']);
  const refused = await runProcess(['describe', 'nothing']);

  expect(shown).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/^baton: .*\n$/);
});

test('NATS that cannot be reached is one clear line and exit code 69', async () => {
  const env = { BATON_NATS_URL: 'nats://127.0.0.1:9', BATON_NATS_CONNECT_TIMEOUT_MS: '0' };

  const { code, stdout, stderr } = await baton('get scalesets', { env });

  expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
  expect(stderr).toMatch(/^baton: NATS at nats:\/\/127\.0\.0\.1:9 cannot be reached: .*\n$/);
});

async function runProcess(args: string[]) {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...requiredEnv, ...nats.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code: child.exitCode, stdout, stderr };
}
