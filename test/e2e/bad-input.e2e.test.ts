import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Ended, runProgram } from './run-program.ts';
import { startStack } from './stack-fixture.ts';

const listener = 'services/listener/src/main.ts';
const provisioner = 'services/provisioner/src/main.ts';
const baton = 'packages/cli/src/main.ts';
const stack = 'packages/stack/src/main.ts';

let dir = '';
let taken: Server;
let service: Record<string, string> = {};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'baton-bad-input-'));
  const credentials = {
    credentials: { github: { type: 'pat', hosts: ['github.com'], token: 't0ken' } },
  };
  await writeFile(join(dir, 'credentials.yaml'), JSON.stringify(credentials));
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  service = {
    BATON_INSTALLATION_ID: 'test',
    BATON_INSTANCE: 'test-0',
    BATON_NATS_URL: 'nats://127.0.0.1:9',
    BATON_NATS_USER: 'listener',
    BATON_NATS_PASSWORD: 'hunter2',
    BATON_NATS_CONNECT_TIMEOUT_MS: '1000',
    BATON_CREDENTIALS_FILE: join(dir, 'credentials.yaml'),
    BATON_HEALTH_HOST: '127.0.0.1',
    BATON_HEALTH_PORT: '0',
    BATON_LOG_LEVEL: 'silent',
  };
});

afterAll(async () => {
  taken.close();
  await rm(dir, { recursive: true });
});

describe('bad input gets one clear message', () => {
  test('NATS that cannot be reached', async () => {
    const ended = await runProgram(listener, [], service);

    expect(ended.code).toBe(69);
    expectClear(ended, 'NATS at nats://127.0.0.1:9 cannot be reached', 'BATON_NATS_URL');
  });

  test('NATS that cannot be reached by the command', async () => {
    const ended = await runProgram(baton, ['get', 'scalesets'], service);

    expect(ended.code).toBe(69);
    expectClear(ended, 'cannot be reached', 'BATON_NATS_URL');
  });

  test('variables that are missing or wrong, all at once, and of their values numbers alone', async () => {
    const wrong = {
      BATON_HEALTH_PORT: '99999',
      BATON_LOG_LEVEL: 'loud',
      BATON_NATS_PASSWORD: 'hunter2',
    };

    const ended = await runProgram(listener, [], wrong);

    expect(ended.code).toBe(78);
    expectClear(
      ended,
      'BATON_HEALTH_PORT',
      'BATON_LOG_LEVEL',
      'BATON_INSTALLATION_ID',
      'BATON_CREDENTIALS_FILE',
    );
    expect(ended.stderr).not.toMatch(/loud|hunter2/);
  });

  test('a port that is in use', async () => {
    const address = taken.address();
    const port = typeof address === 'object' ? String(address?.port) : '';

    const ended = await runProgram(listener, [], { ...service, BATON_HEALTH_PORT: port });

    expect(ended.code).toBe(78);
    expectClear(ended, `127.0.0.1:${port} cannot be opened`, 'BATON_HEALTH_PORT');
  });

  test('a runner program that is missing', async () => {
    const file = join(dir, 'providers.yaml');
    const processes = {
      type: 'process',
      directory: join(dir, 'instances'),
      command: ['/nowhere/run.sh'],
    };
    await writeFile(file, JSON.stringify({ providers: { processes } }));

    const ended = await runProgram(provisioner, [], { ...service, BATON_PROVIDERS_FILE: file });

    expect(ended.code).toBe(78);
    expectClear(ended, '/nowhere/run.sh', 'github.com/actions/runner/releases');
  });

  test('a scale-set file with five mistakes, each with its place', async () => {
    const file = join(dir, 'scalesets.yaml');
    await writeFile(file, mistakes);

    const ended = await runProgram(baton, ['apply', '-f', file], service);

    expect(ended.code).toBe(78);
    expectClear(
      ended,
      '[0].configUrl',
      '[0].maxRunner',
      '[0].provider',
      '[1].name',
      '[1].minRunners',
    );
  });

  test.each([
    ['a config URL that is malformed', 'https://github.com/a/b/c', 'names no organization'],
    ['a config URL that is none', 'acme', 'is not an http(s) URL'],
  ])('%s', async (_case, configUrl, problem) => {
    const ended = await runProgram(stack, [], {
      BATON_GITHUB_CONFIG_URL: configUrl,
      BATON_GITHUB_TOKEN: 'hunter2',
      BATON_RUNNER_DIR: 'packages/github-sim/bin',
    });

    expect(ended.code).toBe(78);
    expectClear(ended, problem);
  });

  test('a token that GitHub refuses, at the start and in the status of its scale set', async () => {
    await using running = await startStack({ listener: 1, provisioner: 0, janitor: 0 });
    await writeFile(
      join(running.dir, 'credentials.yaml'),
      wrongToken(new URL(running.configUrl).host),
    );
    const process = running.service('listener-0');
    await process.stop();
    process.restart();

    await running.applyScaleSets([{ name: 'linux', maxRunners: 1 }]);

    await eventually(
      async () => {
        const [status] = statusSchema.parse(
          JSON.parse(await running.baton('get', 'scalesets', '-o', 'json')),
        );
        expect(status.state).toBe('failed');
        expect(status.reason).toContain('token');
      },
      { timeoutMs: 20_000, everyMs: 500 },
    );
    const ended = await runProgram(stack, [], {
      BATON_GITHUB_CONFIG_URL: running.configUrl,
      BATON_GITHUB_TOKEN: 'hunter2',
      BATON_RUNNER_DIR: 'packages/github-sim/bin',
    });
    expect(ended.code).toBe(78);
    expectClear(ended, 'token');
  });
});

const statusSchema = z.tuple([z.looseObject({ state: z.string(), reason: z.string() })]);

const mistakes = `
scaleSets:
  - name: linux
    configUrl: github.com/acme
    credential: github
    provider: Processes!
    maxRunner: 5
  - name: -bad
    configUrl: https://github.com/acme
    credential: github
    provider: processes
    minRunners: 5
    maxRunners: 1
`;

function wrongToken(host: string): string {
  return JSON.stringify({
    credentials: { github: { type: 'pat', hosts: [host], token: 'hunter2' } },
  });
}

function expectClear({ stdout, stderr }: Ended, ...texts: string[]): void {
  for (const text of texts) expect(stderr).toContain(text);
  expect(`${stdout}${stderr}`).not.toMatch(/\n\s+at .+:\d+/);
  expect(`${stdout}${stderr}`).not.toContain('hunter2');
}
