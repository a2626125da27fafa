import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@baton/shared/config';
import { type MetricSource, silentLogger } from '@baton/shared/telemetry';
import { FakeClock, metricValues, startTestSimulator } from '@baton/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { GitHubClients } from './github-clients.ts';
import {
  exception,
  minuteMs,
  registrationRoute,
  rejection,
  scaleSetId,
  service,
  setUp,
  until,
} from './testing/setup.ts';

const valuesOf = (sources: readonly MetricSource[], name: string) =>
  metricValues(sources, `baton_github_${name}`);

describe('GitHubMetrics', () => {
  test('count every request by the method that made it and what came of it', async () => {
    const { github, client, transport } = await setUp();
    const sessions = service('POST', `runtime/runnerscalesets/${scaleSetId}/sessions`);
    const conflict = exception('RunnerScaleSetSessionConflictException');
    github.on(sessions, { status: 409, body: conflict }, { fault: 'reset' });
    await rejection(client.createSession(scaleSetId, 'me'));
    await rejection(client.createSession(scaleSetId, 'me'));

    expect(valuesOf(transport.metrics.sources, 'requests_total')).toEqual({
      'createRegistrationToken ok': 1,
      'register ok': 1,
      'createSession session-conflict': 1,
      'createSession unavailable': 1,
    });
  });

  test('a call that is repeated counts once for each request', async () => {
    const { github, client, clock, transport } = await setUp();
    const agents = service('GET', 'distributedtask/pools/0/agents');
    github.on(agents, { status: 503 }, { body: { count: 0, value: [] } });
    const listing = client.listRunners();
    await until(() => github.requestsTo(agents).length === 1);
    // Its deadline, and the wait for the next attempt.
    await until(() => clock.sleeping === 2);
    await clock.advance(5_000);
    await listing;

    expect(valuesOf(transport.metrics.sources, 'requests_total')).toMatchObject({
      'listRunners unavailable': 1,
      'listRunners ok': 1,
    });
  });

  test('polls are measured apart, and what was not waited for is counted and not measured', async () => {
    const { github, queue, transport } = await setUp();
    github.on('GET /queue', { status: 202 }, { fault: 'hang' });
    const stop = new AbortController();
    const access = { queueUrl: `${github.url}/queue`, token: new Secret('queue'), maxCapacity: 1 };
    await queue.getMessage(access);
    const polling = rejection(queue.getMessage({ ...access, signal: stop.signal }));
    await until(() => github.requestsTo('GET /queue').length === 2);
    stop.abort(new Error('enough'));
    await polling;

    expect(valuesOf(transport.metrics.sources, 'requests_total')).toEqual({
      'getMessage ok': 1,
      'getMessage cancelled': 1,
    });
    expect(valuesOf(transport.metrics.sources, 'request_seconds')).toEqual({ getMessage: 1 });
  });

  test('a request that was not answered in time counts as unavailable', async () => {
    const { github, client, clock, transport } = await setUp();
    github.on(registrationRoute, { fault: 'hang' });
    const failing = rejection(client.listRunners());
    await until(() => github.requestsTo(registrationRoute).length === 1);
    await clock.advance(minuteMs);
    await failing;
    await until(
      () => 'createRegistrationToken' in valuesOf(transport.metrics.sources, 'request_seconds'),
    );

    expect(valuesOf(transport.metrics.sources, 'requests_total')).toEqual({
      'createRegistrationToken unavailable': 1,
    });
  });
});

/** Clients with the credential `github` for a simulator. */
async function aProcess() {
  const clock = new FakeClock();
  const sim = await startTestSimulator();
  const dir = await mkdtemp(join(tmpdir(), 'baton-metrics-'));
  const options = { clock, random: () => 0.5, log: silentLogger(), subsystem: 'test' };
  const clients = GitHubClients.fromFile(await sim.writeCredentials(dir), options);
  onTestFinished(async () => {
    await clients.close();
    await sim[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });
  return { clock, clients, control: sim.control, configUrl: sim.configUrl };
}

describe('rateLimitGauges', () => {
  test('tell what GitHub leaves a credential, until that begins anew', async () => {
    const { clock, clients, configUrl } = await aProcess();
    expect(valuesOf(clients.metrics, 'rate_limit_remaining')).toEqual({});
    await clients.get('github', configUrl).client.listRunners();

    expect(valuesOf(clients.metrics, 'rate_limit_remaining')).toEqual({ github: 14_998 });
    expect(valuesOf(clients.metrics, 'rate_limit')).toEqual({ github: 15_000 });
    await clock.advance(61 * minuteMs);
    expect(valuesOf(clients.metrics, 'rate_limit_remaining')).toEqual({});
  });

  test('tell what a refusal says', async () => {
    const { clock, clients, control, configUrl } = await aProcess();
    const reset = String(Math.ceil((clock.now() + 10 * minuteMs) / 1_000));
    const headers = {
      'x-ratelimit-limit': '5000',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': reset,
      date: new Date(clock.now()).toUTCString(),
    };
    const action = { kind: 'status', status: 403, body: '{"message":"limit"}', headers } as const;
    await control.addFault({ route: 'createRegistrationToken', action });
    const failed = await rejection(clients.get('github', configUrl).client.listRunners());

    expect(failed).toMatchObject({ kind: 'rate-limited' });
    expect(valuesOf(clients.metrics, 'rate_limit_remaining')).toEqual({ github: 0 });
    expect(valuesOf(clients.metrics, 'requests_total')).toEqual({
      'createRegistrationToken rate-limited': 1,
    });
  });
});
