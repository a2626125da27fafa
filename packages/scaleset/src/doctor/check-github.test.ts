import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '@baton/shared/contracts';
import { systemClock } from '@baton/shared/time';
import { startTestSimulator } from '@baton/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { GitHubClients } from '../github-clients.ts';
import { silentClients } from '../testing/silent-clients.ts';
import { checkGitHub } from './check-github.ts';
import type { DeclaredScaleSet } from './check-scale-sets.ts';

const signal = new AbortController().signal;

/** A simulated GitHub, a credentials file that it accepts, and one scale set that is registered. */
async function setUp(options?: Parameters<typeof startTestSimulator>[0]) {
  const sim = await startTestSimulator(options);
  onTestFinished(() => sim[Symbol.asyncDispose]());
  const dir = await mkdtemp(join(tmpdir(), 'baton-doctor-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = await sim.writeCredentials(dir);
  const clients = silentClients(file);
  const linux = declared({ configUrl: sim.configUrl });
  const { client } = clients.get('github', sim.configUrl);
  await client.createScaleSet({ name: 'linux', runnerGroupId: 1, labels: ['linux', 'big'] });
  return { sim, file, clients, linux, dir };
}

function declared(part: Partial<DeclaredScaleSet>): DeclaredScaleSet {
  const configUrl = 'https://github.com/acme';
  return {
    name: 'linux',
    configUrl,
    credential: 'github',
    group: 'default',
    labels: ['big'],
    ...part,
  };
}

async function examine(clients: GitHubClients, ...sets: DeclaredScaleSet[]): Promise<Finding[]> {
  return await checkGitHub(clients, sets, { scaleSets: true, signal });
}

/** The outcomes by what was checked. */
function outcomes(findings: readonly Finding[]): Record<string, string> {
  return Object.fromEntries(findings.map(({ check, outcome }) => [check, outcome]));
}

/** What is not well. */
function wrong(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ outcome }) => outcome !== 'ok');
}

const allWell = {
  credential: 'ok',
  connection: 'ok',
  clock: 'ok',
  token: 'ok',
  'actions-service': 'ok',
  'group-policy': 'ok',
  'scale-set': 'ok',
  labels: 'ok',
};

describe('checkGitHub', () => {
  test('all is well', async () => {
    const { clients, linux, sim } = await setUp();

    const findings = await examine(clients, linux);

    expect(outcomes(findings)).toEqual(allWell);
    expect(findings.find(({ check }) => check === 'connection')?.text).toBe(
      `${new URL(sim.configUrl).host} answers, without a proxy`,
    );
  });

  test('nothing at GitHub is changed, and no token is in the findings', async () => {
    const { clients, linux, sim } = await setUp();
    const before = await sim.control.state();

    const findings = await examine(clients, linux, declared({ ...linux, name: 'other' }));

    expect(await sim.control.state()).toEqual(before);
    expect(JSON.stringify(findings)).not.toContain('sim-token');
  });

  test('a scope is walked once, however many scale sets share it', async () => {
    const { clients, linux } = await setUp();

    const findings = await examine(clients, linux, linux, linux);

    expect(findings.filter(({ check }) => check === 'token')).toHaveLength(1);
    expect(findings.filter(({ check }) => check === 'labels')).toHaveLength(3);
  });

  test('a credential that was revoked is found out, though its tokens are still in use', async () => {
    const { clients, linux, sim } = await setUp();
    await clients.get('github', linux.configUrl).client.listRunners();
    await sim.control.addFault({
      route: 'createRegistrationToken',
      action: { kind: 'status', status: 401, body: '{"message":"Bad credentials"}' },
    });

    const findings = await examine(clients, linux);

    expect(wrong(findings)).toMatchObject([{ check: 'token', outcome: 'failed' }]);
    expect(wrong(findings)[0]?.text).toContain(
      'refused the personal access token for organization acme (HTTP 401): check that it is not expired',
    );
    expect(outcomes(findings).connection).toBe('ok');
  });

  test('a credential that nobody has, and one that may not be sent there', async () => {
    const { clients, linux } = await setUp();

    const findings = await examine(
      clients,
      { ...linux, credential: 'other' },
      declared({ configUrl: 'https://github.com/acme' }),
    );

    expect(findings).toMatchObject([
      { check: 'credential', outcome: 'failed' },
      { check: 'credential', outcome: 'failed' },
    ]);
    expect(findings[0]?.text).toContain('credential "other" is not in BATON_CREDENTIALS_FILE');
    expect(findings[1]?.text).toContain("add this host to the credential's hosts");
  });

  test('a file of credentials that was spoiled since', async () => {
    const { clients, linux, file } = await setUp();
    await writeFile(file, 'credentials: [');

    const findings = await examine(clients, linux);

    expect(wrong(findings)).toMatchObject([{ check: 'credentials-file', outcome: 'failed' }]);
  });

  test.each([
    [
      'a host that refuses connections',
      'http://127.0.0.1:1/acme',
      '127.0.0.1:1 cannot be reached (ECONNREFUSED): check the network and the firewall',
    ],
    [
      'a name that no name server knows',
      'http://github.invalid/acme',
      'the name github.invalid cannot be resolved',
    ],
  ])('%s', async (_what, configUrl, text) => {
    const { dir } = await setUp();
    const file = join(dir, 'elsewhere.yaml');
    const github = { type: 'pat', hosts: [new URL(configUrl).host], token: 't' };
    await writeFile(file, JSON.stringify({ credentials: { github } }));

    const findings = await examine(silentClients(file), declared({ configUrl }));

    expect(wrong(findings)).toMatchObject([{ check: 'connection', outcome: 'failed' }]);
    expect(wrong(findings)[0]?.text).toContain(text);
  });

  test('a registration token that is refused now and then is no finding; for good it is', async () => {
    const { clients, linux, sim } = await setUp();
    const refusal = { kind: 'status', status: 401, body: 'no' } as const;
    await sim.control.addFault({ route: 'registerRunner', first: 1, action: refusal });
    const hiccup = await examine(clients, linux);
    await sim.control.addFault({ route: 'registerRunner', action: refusal });

    const refused = await examine(clients, linux);

    expect(outcomes(hiccup)).toEqual(allWell);
    expect(wrong(refused)).toMatchObject([{ check: 'registration', outcome: 'failed' }]);
  });

  test('an Actions service that answers nothing ends with its step', async () => {
    const { clients, linux, sim } = await setUp();
    await sim.control.addFault({ route: 'findRunnerGroup', action: { kind: 'hang' } });
    const stop = new AbortController();
    const going = checkGitHub(clients, [linux], { scaleSets: true, signal: stop.signal });
    stop.abort(new Error('not done within 1 s'));

    const findings = wrong(await going);

    expect(findings.map(({ text }) => text)).toEqual(['not done within 1 s']);
  });

  test('a limit of GitHub is a warning', async () => {
    const { clients, linux, sim } = await setUp();
    const headers = { 'retry-after': '600' };
    await sim.control.addFault({
      route: 'createRegistrationToken',
      action: { kind: 'status', status: 429, headers },
    });

    const findings = wrong(await examine(clients, linux));

    expect(findings).toMatchObject([{ check: 'token', outcome: 'warning' }]);
  });

  test.each([
    ['five seconds ahead', 5, 'warning', /at least [345]\.\d s ahead of/],
    ['two minutes behind', -120, 'failed', /at least 1[12]\d\.\d s behind that of/],
  ])('a clock that is %s', async (_what, seconds, outcome, text) => {
    const { file, linux } = await setUp();
    const clock = { ...systemClock, now: () => systemClock.now() + seconds * 1_000 };

    const findings = wrong(await examine(silentClients(file, clock), linux));

    expect(findings).toMatchObject([{ check: 'clock', outcome }]);
    expect(findings[0]?.text).toMatch(text);
  });

  test('a runner group that is not there', async () => {
    const { clients, linux } = await setUp();

    const findings = wrong(await examine(clients, { ...linux, group: 'gpu' }));

    expect(findings).toMatchObject([
      { check: 'group', about: 'runner group gpu', outcome: 'failed' },
    ]);
    expect(findings[0]?.text).toContain('create it there, or change the group of the scale set');
  });

  test('a runner group that lets only some in', async () => {
    const { clients, linux, sim } = await setUp({ runnerGroups: ['gpu'] });
    await clients.get('github', linux.configUrl).client.createScaleSet({
      name: 'linux',
      runnerGroupId: 2,
      labels: ['linux', 'big'],
    });
    const group = { id: 2, name: 'gpu', visibility: 'selected', restricted_to_workflows: true };
    await sim.control.addFault({
      route: 'listRunnerGroups',
      action: { kind: 'status', status: 200, body: JSON.stringify({ runner_groups: [group] }) },
    });

    const findings = wrong(await examine(clients, { ...linux, group: 'gpu' }));

    expect(findings).toMatchObject([
      { check: 'group-policy', about: 'runner group gpu', outcome: 'warning' },
    ]);
    expect(findings[0]?.text).toContain(
      'only selected repositories may use it, only selected workflows may use it',
    );
  });

  test('a policy that the credential may not read hides nothing else', async () => {
    const { clients, linux, sim } = await setUp();
    await sim.control.addFault({
      route: 'listRunnerGroups',
      action: { kind: 'status', status: 403, body: '{"message":"Resource not accessible"}' },
    });

    const findings = await examine(clients, linux);

    expect(outcomes(findings)).toEqual({ ...allWell, 'group-policy': 'warning' });
  });

  test('a scale set that is not registered, and one that lost labels', async () => {
    const { clients, linux } = await setUp();

    const findings = await examine(
      clients,
      { ...linux, labels: ['big', 'gpu', 'BIG'] },
      { ...linux, name: 'windows' },
    );

    expect(wrong(findings)).toMatchObject([
      { check: 'labels', about: 'scale set linux', outcome: 'failed' },
      { check: 'scale-set', about: 'scale set windows', outcome: 'failed' },
    ]);
    expect(wrong(findings)[0]?.text).toContain('GitHub has it without gpu: ');
  });
});
