import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocalStack } from '@baton/stack';
import { eventually } from '@baton/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { runProgram } from './run-program.ts';
import { heldPoll, simulator, startStack } from './stack-fixture.ts';

const patient = { timeoutMs: 30_000, everyMs: 100 };
const services = { listener: 2, provisioner: 1, janitor: 1 };
const places = ['cli', 'listener-0', 'listener-1', 'provisioner-0', 'janitor-0'];

const findingsSchema = z.array(
  z.object({
    place: z.string(),
    check: z.string(),
    about: z.string().nullable(),
    outcome: z.enum(['ok', 'warning', 'failed']),
    text: z.string(),
  }),
);

async function doctor(stack: LocalStack, ...args: string[]) {
  const all = ['doctor', '-o', 'json', ...args];
  const { code, stdout } = await runProgram(
    'packages/cli/src/main.ts',
    all,
    stack.variablesOf('cli'),
  );
  const findings = findingsSchema.parse(JSON.parse(stdout));
  return { code, stdout, findings, wrong: findings.filter(({ outcome }) => outcome !== 'ok') };
}

async function polling(stack: LocalStack): Promise<void> {
  await stack.applyScaleSets([{ name: 'linux', maxRunners: 3 }]);
  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
}

test('all is well: every place says so, and nothing at GitHub has changed', async () => {
  await using stack = await startStack(services);
  await polling(stack);
  const books = async () => (await simulator(stack).state()).runners;
  const before = await books();

  const { code, findings, wrong, stdout } = await doctor(stack);
  const table = await stack.baton('doctor');

  expect(wrong).toEqual([]);
  expect(code).toBe(0);
  expect([...new Set(findings.map(({ place }) => place))]).toEqual(places);
  const checked = findings.filter(({ place }) => place === 'listener-0').map(({ check }) => check);
  expect(checked).toEqual([
    'clock',
    'credential',
    'connection',
    'clock',
    'token',
    'actions-service',
    'group-policy',
    'scale-set',
    'labels',
  ]);
  expect(table).toMatch(/^cli\n {2}ok {2,}configuration/);
  expect(await books()).toEqual(before);
  expect(stdout).not.toContain('sim-token');
});

test('a broken credential that one service alone has is told by that service alone', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'baton-doctor-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'credentials.yaml');
  await writeFile(file, credentials('127.0.0.1:1'));
  const own = { provisioner: { BATON_CREDENTIALS_FILE: file } };
  await using stack = await startStack(services, [], {}, own);
  await polling(stack);
  await writeFile(file, credentials(new URL(stack.configUrl).host));
  await stack.service('provisioner-0').stop();
  stack.service('provisioner-0').restart();
  await stack.service('provisioner-0').ready(AbortSignal.timeout(20_000));

  const { code, wrong, stdout } = await doctor(stack);

  expect(wrong).toMatchObject([{ place: 'provisioner-0', check: 'token', outcome: 'failed' }]);
  expect(wrong[0]?.text).toContain('refused the personal access token for organization acme');
  expect(code).toBe(1);
  expect(stdout).not.toContain('hunter2');
});

test('services that do not answer are named: one that is frozen, and one that is not there', async () => {
  await using stack = await startStack({ listener: 2, provisioner: 1, janitor: 0 });
  await polling(stack);
  const frozen = stack.service('listener-1');
  frozen.signal('SIGSTOP');
  onTestFinished(() => frozen.signal('SIGCONT'));

  const { code, wrong } = await doctor(stack, '--scale-set', 'linux', '--timeout', '5s');
  frozen.signal('SIGCONT');

  expect(wrong).toMatchObject([
    { place: 'listener-1', check: 'answer', outcome: 'failed' },
    { place: 'janitor', check: 'answer', outcome: 'failed' },
  ]);
  expect(code).toBe(1);
});

test('a user of NATS without the rights of the CLI is told as such', async () => {
  await using stack = await startStack({ listener: 0, provisioner: 0, janitor: 0 });
  const { code, stdout } = await runProgram(
    'packages/cli/src/main.ts',
    ['doctor', '-o', 'json'],
    stack.variablesOf('janitor'),
  );

  const failed = findingsSchema.parse(JSON.parse(stdout)).filter((one) => one.outcome === 'failed');

  expect(failed.map(({ check }) => check)).toContain('rights');
  expect(failed.find(({ check }) => check === 'rights')?.text).toMatch(/permissions violation/i);
  expect(code).toBe(1);
});

test('without NATS the doctor says so and ends', async () => {
  const ended = await runProgram('packages/cli/src/main.ts', ['doctor', '-o', 'json'], {
    BATON_INSTALLATION_ID: 'test',
    BATON_NATS_URL: 'nats://127.0.0.1:9',
    BATON_NATS_PASSWORD: 'hunter2',
    BATON_NATS_CONNECT_TIMEOUT_MS: '500',
  });

  expect(ended.code).toBe(1);
  expect(findingsSchema.parse(JSON.parse(ended.stdout))).toMatchObject([
    { place: 'cli', check: 'configuration', outcome: 'ok' },
    { place: 'cli', check: 'nats', outcome: 'failed' },
  ]);
});

function credentials(host: string): string {
  const github = { type: 'pat', hosts: [host], token: 'hunter2' };
  return JSON.stringify({ credentials: { github } });
}
