import type { SimControl } from '@baton/github-sim';
import { Secret } from '@baton/shared/config';
import { scaleSetIdOf } from '@baton/shared/contracts';
import { connectNats, type Nats } from '@baton/shared/messaging';
import { openSessions } from '@baton/shared/stores';
import { silentLogger } from '@baton/shared/telemetry';
import { systemClock } from '@baton/shared/time';
import type { LocalStack } from '@baton/stack';
import {
  eventually,
  type NatsProxy,
  type PublishHook,
  startNatsProxy,
  type TestProcess,
} from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest';
import { atRest, factsOf, patient, startListener } from './listener-fixture.ts';
import { simulator, startStack } from './stack-fixture.ts';

/** Brings the listener to the point where it is killed; resolves when it is there. */
type CrashPoint = (world: World, addJobs: () => Promise<string[]>) => Promise<string[]>;

type When = PublishHook['when'];
type Route = 'acquireJobs' | 'deleteMessage';

const fact = /^baton\.v1\.event\.listener\.[^.]+\.job\.assigned$/;
const record = /^\$KV\.baton-sessions\./;
const demand = /^baton\.v1\.event\.listener\.[^.]+\.demand\.changed$/;

/** At the `nth` publish on such a subject. */
const publishing =
  (subject: RegExp, when: When, nth = 1): CrashPoint =>
  async ({ proxy }, addJobs) => {
    let seen = 0;
    const match = (name: string) => {
      if (subject.test(name)) seen += 1;
      return seen >= nth;
    };
    const held = proxy.holdNext({ match, when });
    const ids = await addJobs();
    await held;
    return ids;
  };

/** At a call to GitHub: `hang` is before it takes effect, `hang-after` after it. */
const calling =
  (route: Route, kind: 'hang' | 'hang-after'): CrashPoint =>
  async ({ sim }, addJobs) => {
    await sim.addFault({ id: 'crash-point', route, action: { kind } });
    const ids = await addJobs();
    await eventually(async () => {
      const { faults } = await sim.state();
      expect(faults.find(({ id }) => id === 'crash-point')?.hits).toBeGreaterThan(0);
    }, patient);
    return ids;
  };

/** GitHub has sent the message, and the process never read it. */
const unread: CrashPoint = async ({ sim, listener }, addJobs) => {
  listener().signal('SIGSTOP');
  const ids = await addJobs();
  await eventually(async () => {
    expect((await sim.state()).scaleSets[0]?.session?.held).toBe(false);
  }, patient);
  return ids;
};

const handling: [string, CrashPoint][] = [
  ['GitHub has sent the message and it was not read', unread],
  ['its first fact is published', publishing(fact, 'before')],
  ['NATS has its first fact and no other', publishing(fact, 'before', 2)],
  ['NATS has its facts and has not said so', publishing(fact, 'after-reply-withheld', 2)],
  ['the session record is written', publishing(record, 'before')],
  [
    'the session record is written and NATS has not said so',
    publishing(record, 'after-reply-withheld'),
  ],
  ['the demand is announced', publishing(demand, 'before')],
  ['the demand is announced and NATS has not said so', publishing(demand, 'after-reply-withheld')],
  ['GitHub deletes the message', calling('deleteMessage', 'hang')],
  ['GitHub has deleted the message and has not said so', calling('deleteMessage', 'hang-after')],
];
const acquiring: [string, CrashPoint][] = [
  ['GitHub grants the jobs', calling('acquireJobs', 'hang')],
  ['GitHub has granted the jobs and has not said so', calling('acquireJobs', 'hang-after')],
];

interface World {
  stack: LocalStack;
  sim: SimControl;
  proxy: NatsProxy;
  nats: Nats;
  listener: () => TestProcess;
  restart: () => void;
  end: () => Promise<void>;
}

/** Everything but a listener from a stack, and a listener that reaches NATS through a proxy. */
async function startWorld(dialect: string): Promise<World> {
  const services = { listener: 0, provisioner: 1, janitor: 1 };
  const stack = await startStack(services, ['--dialect', dialect]);
  const proxy = await startNatsProxy(stack.natsUrl);
  const env = { ...stack.variablesOf('listener'), BATON_NATS_URL: proxy.url };
  await stack.applyScaleSets([{ name: 'linux', maxRunners: 4 }]);
  const nats = await connectNats({
    natsUrl: stack.natsUrl,
    natsUser: 'cli',
    natsPassword: new Secret(stack.variablesOf('cli').BATON_NATS_PASSWORD ?? ''),
    natsConnectTimeoutMs: 5_000,
    name: 'test',
    log: silentLogger(),
    clock: systemClock,
  });
  let listener = startListener('listener-0', env);
  return {
    stack,
    sim: simulator(stack),
    proxy,
    nats,
    listener: () => listener,
    restart: () => (listener = startListener('listener-0', env)),
    end: async () => {
      await listener[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await nats[Symbol.asyncDispose]();
      await stack[Symbol.asyncDispose]();
    },
  };
}

/** SIGKILL; what the proxy holds of it is lost with it. */
async function kill({ sim, proxy, listener }: World): Promise<void> {
  listener().signal('SIGKILL');
  await listener().exited();
  proxy.reset();
  await sim.clearFaults();
}

const scaleSetId = scaleSetIdOf('linux');

async function expectHandledOnce({ sim, nats }: World, ids: string[]): Promise<void> {
  const done = async () => (await sim.jobs()).filter(({ id }) => ids.includes(id));
  await eventually(async () => {
    expect((await done()).map(({ status }) => status)).toEqual(ids.map(() => 'completed'));
  }, patient);
  const sessions = await openSessions(nats);
  await eventually(async () => {
    expect((await sim.state()).scaleSets[0]?.messages).toBe(0);
    expect((await sessions.get(scaleSetId))?.value.demand?.assigned).toBe(0);
  }, patient);
  const facts = await factsOf(nats, scaleSetId);
  const expected = ids.flatMap((id) =>
    ['assigned', 'completed', 'started'].map((what) => `job.${what} ${id}`),
  );
  expect(facts.filter((text) => ids.some((id) => text.endsWith(` ${id}`)))).toEqual(
    expected.sort(),
  );
  expect(await sim.books()).toMatchObject({ lostJobs: 0, duplicateRunners: 0, sessionsCreated: 1 });
}

describe.each([
  ['github.com', handling],
  ['ghes', [...acquiring, ...handling]],
] as const)('a message of %s whose listener is killed when', (dialect, points) => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld(dialect);
  });
  afterAll(() => world.end());

  test.each(points)('%s: its facts are published once, its jobs run once', async (_when, reach) => {
    onTestFailed(() => void process.stderr.write(world.listener().stderr));
    const session = async () => (await world.sim.state()).scaleSets[0]?.session ?? undefined;
    await atRest({ session });

    const ids = await reach(world, () =>
      world.sim.addJobs({ scaleSet: 'linux', count: 2, durationMs: 10 }),
    );
    await kill(world);
    world.restart();

    await expectHandledOnce(world, ids);
  });
});
