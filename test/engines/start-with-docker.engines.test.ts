import { fileURLToPath } from 'node:url';
import { type DockerEngine, startObeyEngine } from '@baton/providers/testing/docker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram } from '../e2e/run-program.ts';

const program = fileURLToPath(new URL('../../packages/stack/src/main.ts', import.meta.url));
const start = (dockerHost: string, ...args: string[]) =>
  runProgram(program, ['--provider', 'docker', ...args], { DOCKER_HOST: dockerHost });

let engine: DockerEngine;

beforeAll(async () => {
  engine = await startObeyEngine();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

test('npm start -- --provider docker does all jobs in containers, and leaves nothing', async () => {
  const before = await engine.inspect('/images/json');

  const { code, stdout, stderr } = await start(
    `unix://${engine.socket}`,
    ...['--jobs', '6', '--exit', '--seed', '1'],
  );

  const report: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  expect(report, stderr).toMatchObject({
    jobs: 6,
    completed: 6,
    lostJobs: 0,
    duplicateRunners: 0,
    leftoverRunners: 0,
    leftoverRegistrations: 0,
    leftoverInstances: 0,
  });
  expect(code).toBe(0);
  expect(await engine.events('create')).toBeGreaterThanOrEqual(6);
  expect(await engine.containers()).toEqual([]);
  expect(await engine.inspect('/images/json')).toEqual(before);
}, 240_000);

test.each([
  ['unix:///nowhere/docker.sock', /there is no such socket; install and start Docker/],
  ['tcp://192.0.2.1:2375', /plain http:\/\/ gives the engine to everybody/],
  ['ssh://somewhere', /DOCKER_HOST is ssh:\/\/somewhere: use unix:\/\//],
])('with DOCKER_HOST=%s it says what to do, and starts nothing', async (dockerHost, text) => {
  const { code, stdout, stderr } = await start(dockerHost, '--exit');

  expect([code, stdout]).toEqual([78, '']);
  expect(stderr).toMatch(text);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
