import { Secret } from '@baton/shared/config';
import { silentLogger } from '@baton/shared/telemetry';
import { systemClock } from '@baton/shared/time';
import { eventually, FakeClock, startTestSimulator } from '@baton/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { parseConfigUrl } from './config-url.ts';
import { isGitHubError } from './errors.ts';
import { MessageQueueClient } from './message-queue-client.ts';
import { ScaleSetClient } from './scale-set-client.ts';
import { aJwt } from './testing/fake-github.ts';
import {
  minuteMs,
  registerRoute,
  registrationRoute,
  rejection,
  scaleSetId,
  setUp,
} from './testing/setup.ts';
import { TokenSources } from './token-source.ts';
import { GitHubTransport } from './transport.ts';

type SimOptions = Parameters<typeof startTestSimulator>[0];

/** The real simulator, and clients for it whose time stands still unless said otherwise. */
async function aSimulator({
  clock = new FakeClock(),
  sim: options = {},
  adminTimeoutMs = 30_000,
} = {}) {
  const sim = await startTestSimulator({ token: 'pat', pollHoldMs: 20, ...options } as SimOptions);
  const transport = new GitHubTransport({
    clock,
    random: () => 0.5,
    log: silentLogger(),
    identity: { system: 'baton', version: '1.2.3', commitSha: '', subsystem: 'test' },
    adminTimeoutMs,
  });
  onTestFinished(async () => {
    await transport.close();
    await sim[Symbol.asyncDispose]();
  });
  const configUrl = parseConfigUrl(sim.configUrl);
  const hosts = [configUrl.host];
  const sources = new TokenSources(transport);
  const tokens = sources.get(configUrl, { kind: 'pat', token: new Secret('pat'), hosts });
  const client = new ScaleSetClient({ transport, tokens });
  /** How many requests came to a route that a fault was set for. */
  const seen = async (fault: string) =>
    (await sim.control.state()).faults.find(({ id }) => id === fault)?.seen;
  /** Opens the session of a new scale set and polls it until the test ends. */
  const aPolledSet = async () => {
    const { id } = await client.createScaleSet({ name: 'web', runnerGroupId: 1, labels: ['web'] });
    const { queueUrl, queueToken: token } = await client.createSession(id, 'me');
    const queue = new MessageQueueClient({ transport, tokens, scaleSetId: id });
    const stop = new AbortController();
    const { signal } = stop;
    const polling = (async () => {
      while (!signal.aborted) await queue.getMessage({ queueUrl, token, maxCapacity: 1, signal });
    })();
    onTestFinished(async () => {
      stop.abort();
      await polling.catch(() => undefined);
    });
    const polls = async () => (await sim.control.state()).scaleSets[0]?.session?.polls ?? 0;
    return { id, queue, polls };
  };
  return { control: sim.control, clock, transport, tokens, client, seen, aPolledSet };
}

const claimsSchema = z.looseObject({ exp: z.number() });

/** Counts the requests to a route without changing an answer. */
const counting = { kind: 'delay', ms: 0 } as const;

describe('admin tokens', () => {
  test('a thousand scale sets that start together cause one registration', async () => {
    const { control, tokens, seen } = await aSimulator();
    await control.addFault({ id: 'token', route: 'createRegistrationToken', action: counting });
    await control.addFault({ id: 'register', route: 'registerRunner', action: counting });

    const all = await Promise.all(Array.from({ length: 1_000 }, () => tokens.connection()));

    expect(new Set(all).size).toBe(1);
    expect([await seen('token'), await seen('register')]).toEqual([1, 1]);
  });

  test('a registration that is refused twice with 403 is tried again, once for all callers', async () => {
    const { control, client, seen } = await aSimulator({ clock: systemClock as FakeClock });
    const refused = { kind: 'status', status: 403, body: '{"message":"Forbidden"}' } as const;
    await control.addFault({ id: 'token', route: 'createRegistrationToken', action: counting });
    await control.addFault({ id: 'register', route: 'registerRunner', first: 2, action: refused });

    const found = await Promise.all(
      Array.from({ length: 100 }, (_, index) => client.findScaleSet(1, `set-${index}`)),
    );

    expect(found).toHaveLength(100);
    expect([await seen('token'), await seen('register')]).toEqual([2, 3]);
  });

  test('a credential that stays refused is not tried by every caller', async () => {
    const { control, tokens, clock, seen } = await aSimulator();
    const refused = { kind: 'status', status: 401, body: '{"message":"Bad credentials"}' } as const;
    await control.addFault({ id: 'token', route: 'createRegistrationToken', action: refused });

    for (let second = 0; second < 60; second += 1) {
      const errors = await Promise.all(
        Array.from({ length: 50 }, () => rejection(tokens.connection())),
      );
      expect(errors.every((error) => isGitHubError(error, 'unauthorized'))).toBe(true);
      await clock.advance(1_000);
    }

    // 3000 callers in a minute; the pause grows to 15 s.
    expect(await seen('token')).toBeLessThanOrEqual(12);
  });

  test('tokens that live for 60 s are renewed shortly before their end, once for all callers', async () => {
    const { github, clock, tokens } = await setUp();
    github.on(registrationRoute, {
      body: { token: 'AREG', expires_at: new Date(clock.now() + 60 * minuteMs).toISOString() },
    });
    const ended: number[] = [];

    for (let second = 0; second < 300; second += 1) {
      const token = aJwt(clock.now() + minuteMs, `admin-${second}`);
      github.on(registerRoute, { body: { url: `${github.url}/tenant/abc/`, token } });
      const got = await Promise.all(Array.from({ length: 50 }, () => tokens.connection()));
      const payload = got[0]?.token.reveal().split('.')[1] ?? '';
      const { exp } = claimsSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
      if (exp * 1000 <= clock.now()) ended.push(second);
      await clock.advance(1_000);
    }

    expect(ended).toEqual([]);
    expect(github.requestsTo(registerRoute).length).toBeLessThanOrEqual(8);
    expect(github.requestsTo(registrationRoute)).toHaveLength(1);
  });

  test('admin tokens that end all at once are renewed once', async () => {
    const { control, client, aPolledSet, seen } = await aSimulator();
    const { id } = await aPolledSet();
    await control.addFault({ id: 'register', route: 'registerRunner', action: counting });
    await control.expireTokens('admin');

    await Promise.all(Array.from({ length: 30 }, () => client.getScaleSet(id)));

    expect(await seen('register')).toBe(1);
  });
});

describe('limits of the Actions service', () => {
  const limited = (headers: Record<string, string> = {}) =>
    ({ kind: 'status', status: 429, body: '', headers }) as const;

  test.each([
    ['with Retry-After', { 'retry-after': '20' }, 20_000],
    ['without Retry-After', {}, 5_000],
  ])(
    'a 429 %s on a JIT config holds back all others, while polls and acknowledgements go on',
    async (_what, headers, pauseMs) => {
      const { control, client, clock, seen, aPolledSet } = await aSimulator();
      const { id, polls } = await aPolledSet();
      await control.addFault({
        id: 'jit',
        route: 'generateJitConfig',
        first: 1,
        action: limited(headers),
      });
      await control.addFault({ id: 'list', route: 'listRunners', action: counting });
      const jit = (name: string) => client.generateJitConfig(id, { name, workFolder: '_work' });
      expect(await rejection(jit('web-0'))).toMatchObject({ kind: 'rate-limited' });

      const waiting = [...Array(20).keys()].map((index) => jit(`web-${index + 1}`));
      const listed = client.listRunners();
      const before = await polls();
      await eventually(async () => expect(await polls()).toBeGreaterThan(before + 5));
      expect(await seen('jit')).toBe(1);
      expect(await seen('list')).toBe(0);

      await clock.advance(pauseMs + 500);
      expect(await Promise.all(waiting)).toHaveLength(20);
      expect((await listed).length).toBeGreaterThan(0);
      expect(await seen('jit')).toBe(21);
    },
  );

  test('a list call that is limited for longer than its deadline fails at once, and later ones are not sent', async () => {
    const { control, client, seen, aPolledSet } = await aSimulator({ adminTimeoutMs: 4_000 });
    const { polls } = await aPolledSet();
    await control.addFault({ id: 'list', route: 'listRunners', action: limited() });

    for (let tries = 0; tries < 10; tries += 1) {
      expect(await rejection(client.listRunners())).toMatchObject({ kind: 'rate-limited' });
    }

    expect(await seen('list')).toBe(1);
    const before = await polls();
    await eventually(async () => expect(await polls()).toBeGreaterThan(before + 3));
  });
});

describe('limits of the REST API', () => {
  test('a secondary limit without headers is recognised, and asked about again after a minute', async () => {
    const { control, tokens, clock, seen } = await aSimulator();
    const body =
      '{"message":"You have exceeded a secondary rate limit. Please wait a few minutes."}';
    await control.addFault({
      id: 'token',
      route: 'createRegistrationToken',
      first: 1,
      action: { kind: 'status', status: 403, body },
    });

    expect(await rejection(tokens.connection())).toMatchObject({ kind: 'rate-limited' });
    await clock.advance(30_000);
    const unsent = rejection(tokens.connection());
    await clock.advance(29_000);
    expect(await seen('token')).toBe(1);
    await clock.advance(2_000);

    await unsent.catch(() => undefined);
    expect(await tokens.connection()).toBeDefined();
    expect(await seen('token')).toBe(2);
  });
});

describe('pools', () => {
  test('an admin call is answered within a second while two hundred polls are stalled', async () => {
    const { control, client, aPolledSet, seen, transport, tokens } = await aSimulator({
      clock: systemClock as FakeClock,
      // What takes longer fails as unavailable.
      adminTimeoutMs: 1_000,
    });
    const { id } = await aPolledSet();
    const { queueUrl, queueToken: token } = await client.createSession(
      (await client.createScaleSet({ name: 'other', runnerGroupId: 1, labels: [] })).id,
      'me',
    );
    await control.addFault({ id: 'polls', route: 'getMessage', action: { kind: 'hang' } });
    const stop = new AbortController();
    const queue = new MessageQueueClient({ transport, tokens, scaleSetId });
    const stalled = Array.from({ length: 200 }, () =>
      rejection(queue.getMessage({ queueUrl, token, maxCapacity: 1, signal: stop.signal })),
    );
    await eventually(async () => expect(await seen('polls')).toBeGreaterThanOrEqual(200));

    expect(await client.getScaleSet(id)).toMatchObject({ id });
    expect(
      await client.generateJitConfig(id, { name: 'web-1', workFolder: '_work' }),
    ).toBeDefined();

    stop.abort(new Error('stop'));
    expect(await Promise.all(stalled)).toHaveLength(200);
  });
});
