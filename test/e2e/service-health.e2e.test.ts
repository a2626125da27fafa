import { Secret } from '@baton/shared/config';
import { consumers, streams } from '@baton/shared/contracts';
import { connectNats } from '@baton/shared/messaging';
import { openLeases } from '@baton/shared/stores';
import { silentLogger } from '@baton/shared/telemetry';
import { systemClock } from '@baton/shared/time';
import type { LocalStack } from '@baton/stack';
import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import { observe, readySchema } from './health-fixture.ts';
import { atRest, startScene } from './listener-fixture.ts';
import { simulator, startPolling } from './stack-fixture.ts';

const patient = { timeoutMs: 30_000, everyMs: 100 };
const services = ['listener-0', 'provisioner-0', 'janitor-0'] as const;

test('every service tells a lagging consumer and a dead NATS while they last, and lives', async () => {
  await using stack = await startPolling();
  const states = async () => await Promise.all(services.map((name) => look(stack, name)));
  const allWell = services.map(() => ({ alive: true, ready: true, notReady: {}, degraded: {} }));
  await eventually(async () => expect(await states()).toEqual(allWell), patient);

  const held = await holdEvents(stack);
  await eventually(async () => {
    const lag = {
      [`consumer ${consumers.provisionerEvents}`]: expect.stringMatching(waiting) as string,
    };
    expect(await states()).toEqual([allWell[0], { ...allWell[1], degraded: lag }, allWell[2]]);
  }, patient);
  await held[Symbol.asyncDispose]();
  await eventually(async () => expect(await states()).toEqual(allWell), patient);

  await stack.killNats();
  await eventually(async () => {
    const notReady = { nats: 'the connection to NATS is down' };
    for (const state of await states()) {
      expect(state).toMatchObject({ alive: true, ready: false, notReady });
    }
  }, patient);
  await stack.restartNats();
  await eventually(async () => expect(await states()).toEqual(allWell), patient);
});

test('a lease that another listener took is told, and no more once it is held again', async () => {
  await using scene = await startScene();
  const { ready, alive } = await observe(scene.listener('listener-0'));
  await atRest(scene);
  const leases = await openLeases(await scene.server.connect('admin'));
  const other = { v: 1, identity: 'listener-9', incarnation: 'other' } as const;

  await leases.put(scene.scaleSetId, other);

  const part = `lease ${scene.scaleSetId}`;
  await eventually(async () => {
    const { status, degraded } = await ready();
    expect(status).toBe(200);
    expect(degraded[part]).toMatch(/^was lost \(taken\) \d+ s ago$/);
  }, patient);
  expect(await alive()).toBe(200);
  // Nobody renews it: it runs out, or its holder is found dead.
  await eventually(async () => expect((await ready()).degraded).toEqual({}), patient);
  await atRest(scene);
});

test('polls that are not answered are told after a minute, the listener stays ready', async () => {
  await using scene = await startScene();
  const { ready, alive } = await observe(scene.listener('listener-0'));
  await atRest(scene);
  const route = 'getMessage' as const;
  await scene.sim.addFault({ id: 'mute', route, action: { kind: 'hang' } });
  await scene.sim.addJobs({ scaleSet: 'linux' });

  const part = `scale set ${scene.scaleSetId}`;
  await eventually(
    async () => {
      const { status, degraded } = await ready();
      expect(status).toBe(200);
      expect(degraded[part]).toMatch(/^no poll was answered for \d+ s \(polling\)/);
    },
    { timeoutMs: 90_000, everyMs: 500 },
  );
  expect(await alive()).toBe(200);
  await scene.sim.clearFaults('mute');
  // The poll that hangs has a deadline of 75 s.
  await eventually(async () => expect((await ready()).degraded).toEqual({}), {
    timeoutMs: 90_000,
    everyMs: 500,
  });
}, 200_000);

const waiting = /^\d+ messages are not handled, the oldest for \d+ s$/;

/** What a service says of itself. */
async function look(stack: LocalStack, name: string) {
  const url = `http://127.0.0.1:${await stack.service(name).healthPort}`;
  const [alive, ready] = await Promise.all([fetch(`${url}/livez`), fetch(`${url}/readyz`)]);
  const said = readySchema.parse(await ready.json());
  expect(ready.status).toBe(said.ready ? 200 : 503);
  return { alive: alive.status === 200, ...said };
}

/**
 * Plays a provisioner whose handlers do not end: it takes its share of events, and goes on to say that it
 * works on them. Lets go of them when it is disposed of.
 */
async function holdEvents(stack: LocalStack): Promise<AsyncDisposable> {
  const nats = await connectAsProvisioner(stack);
  const source = await nats.connection
    .jetstream()
    .consumers.get(streams.events, consumers.provisionerEvents);
  const messages = await source.fetch({ max_messages: 2, expires: 20_000 });
  // Every pull that waits gets its turn.
  for (let n = 0; n < 8; n += 1) {
    await simulator(stack).addJobs({ scaleSet: 'linux', durationMs: 10 });
  }
  const releases: (() => void)[] = [];
  const works: (() => void)[] = [];
  for await (const message of messages) {
    releases.push(() => message.nak());
    works.push(() => message.working());
  }
  expect(releases.length).toBeGreaterThan(0);
  const working = setInterval(() => {
    for (const work of works) work();
  }, 2_000);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(working);
      for (const release of releases) release();
      await nats[Symbol.asyncDispose]();
    },
  };
}

async function connectAsProvisioner(stack: LocalStack) {
  const variables = stack.variablesOf('provisioner');
  return await connectNats({
    natsUrl: stack.natsUrl,
    natsUser: 'provisioner',
    natsPassword: new Secret(variables.BATON_NATS_PASSWORD ?? ''),
    natsConnectTimeoutMs: 5_000,
    name: 'test',
    log: silentLogger(),
    clock: systemClock,
  });
}
