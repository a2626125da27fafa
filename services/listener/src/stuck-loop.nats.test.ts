import { answerProbes } from '@baton/shared/lease';
import { openMembers, openPlans } from '@baton/shared/stores';
import { aPlan, aSpec, eventually, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { defaultOpeningPolicy } from './core/decide-session-step.ts';
import { ListenerMetrics } from './listener-metrics.ts';
import { Members } from './members.ts';
import { ScaleSetListener } from './scale-set-listener.ts';
import { aGitHub, type TestGitHub } from './testing/github-bench.ts';
import { aListener, startServer } from './testing/listener-bench.ts';
import { Wakeups } from './wakeups.ts';

const patient = { timeoutMs: 15_000, everyMs: 20 };

let server: TestNats;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** A listener in this process that works on the scale set until the test is over. */
async function startListener(identity: string, github: TestGitHub, stepMs: number) {
  const listener = await aListener(server, { identity });
  const { nats, hints, holder, clock, log, leaseHints } = listener;
  answerProbes(nats, holder);
  const bucket = await openMembers(nats);
  const ttlMs = 10_000;
  const members = new Members({ members: bucket, hints, holder, weight: 1, ttlMs, clock, log });
  await members.join();
  hints.subscribe('lease', (about) => leaseHints.wake(about));
  const drain = new AbortController();
  const deps = {
    ...listener,
    members,
    metrics: new ListenerMetrics(),
    planHints: new Wakeups(),
    specHints: new Wakeups(),
    github: () => github,
    opening: defaultOpeningPolicy,
    stepMs,
    draining: drain.signal,
    peersLive: async () => await Promise.resolve(false),
    abort: drain.signal,
  };
  const running = new ScaleSetListener(deps, specFor(github), drain.signal).run();
  onTestFinished(async () => {
    drain.abort(new Error('test over'));
    await running;
  });
  return listener;
}

function specFor({ configUrl }: TestGitHub) {
  return aSpec({ declaration: { configUrl } });
}

test('a loop that makes no step gives its lease up, and another listener polls in its session', async () => {
  // A poll that hangs has no deadline of its own here.
  const github = await aGitHub({ pollHoldMs: 100, pollTimeoutMs: 600_000 });
  const { scaleSetId } = specFor(github);
  const plans = await openPlans(await server.connect('provisioner'));
  await plans.put(scaleSetId, aPlan({ free: 10, freeAt: new Date().toISOString() }));
  const first = await startListener('listener-a', github, 1_000);
  const polling = async () => (await first.statuses.get(scaleSetId))?.value;
  await eventually(async () => {
    expect(await polling()).toMatchObject({ owner: 'listener-a', state: 'polling' });
  }, patient);
  const session = (await github.state())?.session?.id;
  await startListener('listener-b', github, 30_000);

  await github.control.addFault({ route: 'getMessage', first: 1, action: { kind: 'hang' } });

  await eventually(async () => {
    expect(await polling()).toMatchObject({ owner: 'listener-b', state: 'polling' });
  }, patient);
  expect((await github.state())?.session?.id).toBe(session);
  expect(first.messages).toContain('scale set cannot be served');
  expect(first.lines.find(({ condition }) => condition === 'stuck')?.text).toMatch(
    /made no step for 1 s: the scale set is left to another listener/,
  );
  await github.control.addJobs({ scaleSet: 'linux' });
  await eventually(async () => expect((await github.state())?.messages).toBe(0), patient);
});
