import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseTraceparent } from '@baton/shared/telemetry';
import { LocalStack } from '@baton/stack';
import { eventually, freePort, type ReceivedSpan, startOtlpReceiver } from '@baton/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { completedJobs, heldPoll, instances, records, simulator } from './stack-fixture.ts';
import { pidOf, Received, serviceOf } from './trace-fixture.ts';

const patient = { timeoutMs: 60_000, everyMs: 50 };
const jobMs = 300;
const heldProvisioner = fileURLToPath(new URL('./held-provisioner.ts', import.meta.url));

/** Services that tell a collector everything, often, and one scale set whose session is polled. */
async function startTraced(endpoint: string, variables: Record<string, string> = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'baton-held-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const hold = join(dir, 'hold');
  const stack = await LocalStack.start({
    env: process.env,
    services: { listener: 1, provisioner: 1, janitor: 1 },
    programs: { provisioner: heldProvisioner },
    github: { kind: 'simulator', args: [] },
    maxInstances: 60,
    leaseTtlMs: 10_000,
    serviceEnv: {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      BATON_TEST_HOLD: hold,
      ...variables,
    },
    say: () => undefined,
  });
  onTestFinished(() => stack[Symbol.asyncDispose]());
  await stack.applyScaleSets([{ name: 'linux', maxRunners: 25 }]);
  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
  const add = async (count: number) =>
    await simulator(stack).addJobs({ scaleSet: 'linux', count, durationMs: jobMs });
  return {
    stack,
    add,
    /** From now on creates stand still, before or after the instance is made. */
    hold: async (where: 'before' | 'after') => await writeFile(hold, where),
    release: async () => await rm(hold),
    /** How many stood still there so far. */
    held: async (where: 'before' | 'after') =>
      (await readFile(`${hold}.${where}`, 'utf8').catch(() => '')).length,
    /** Runs so many jobs to their end, and waits until their runners are gone. */
    runJobs: async (count: number) => {
      await untilDone(stack, await add(count));
    },
  };
}

async function untilDone(stack: LocalStack, ids: readonly string[]): Promise<void> {
  await eventually(async () => {
    expect(await completedJobs(stack)).toEqual(expect.arrayContaining([...ids]));
    expect(await records(stack)).toEqual([]);
  }, patient);
}

function theRunner({ runners }: Received, name: string): ReceivedSpan {
  const runner = runners.get(name);
  if (!runner) throw new Error(`nothing was told of ${name}`);
  return runner;
}

/** The runners that took the jobs so far, by name. */
async function takers(stack: LocalStack): Promise<string[]> {
  const jobs = await simulator(stack).jobs();
  return jobs.flatMap(({ runnerName }) => runnerName ?? []);
}

/** All that the services had to tell of so many runners that are gone. */
async function drained(stack: LocalStack, receiver: { spans: readonly ReceivedSpan[] }) {
  expect(await stack.drain()).toEqual([]);
  return new Received(receiver);
}

/** The names of a life's spans, in the order in which they begin. */
function order(received: Received, runner: ReceivedSpan): string[] {
  return received
    .childrenOf(runner)
    .filter(({ name }) => ['create runner', 'boot', 'idle', 'job', 'delete runner'].includes(name))
    .sort((a, b) => Number(a.start - b.start))
    .map(({ name }) => name)
    .filter((name, place, all) => name !== 'idle' && name !== all[place - 1]);
}

/** Wall clocks in ms are kept in records: a child may seem to begin so much before its parent, in ns. */
const roundingNs = 2_000_000n;

function expectConnected(received: Received, spans: readonly ReceivedSpan[]): void {
  for (const span of spans) {
    const parent = received.parentOf(span);
    if (span.parentSpanId !== undefined) expect(parent, span.name).toBeDefined();
    if (!parent) continue;
    expect(span.start, `${span.name} in ${parent.name}`).toBeGreaterThanOrEqual(
      parent.start - roundingNs,
    );
  }
}

/** The span that the life of a runner began with: the poll's, or where none asked for it its own. */
function expectRoot(received: Received, runner: ReceivedSpan): ReceivedSpan {
  const root = received.parentOf(runner) ?? runner;
  expect(root.parentSpanId).toBeUndefined();
  if (root === runner) return root;
  expect([root.name, root.kind, serviceOf(root)]).toEqual(['poll', 'consumer', 'listener']);
  return root;
}

/** By GitHub's clock: its messages about a job may come together. */
function expectJobTime(received: Received, runner: ReceivedSpan): void {
  const jobs = received.childrenOf(runner).filter(({ name }) => name === 'job');
  for (const { start, end } of jobs) expect(Number(end - start) / 1e6).toBeGreaterThan(jobMs - 20);
}

/** One connected trace, with spans of all three services and of the requests to GitHub. */
function expectWholeLife(received: Received, runner: ReceivedSpan): void {
  const root = expectRoot(received, runner);
  expectConnected(received, received.below(root));
  expect(order(received, runner)).toEqual(['create runner', 'boot', 'job', 'delete runner']);
  expect(serviceOf(runner)).toBe('janitor');
  const tellers = received.childrenOf(runner).map((span) => [span.name, serviceOf(span)]);
  expect(tellers).toEqual(
    expect.arrayContaining([
      ['create runner', 'provisioner'],
      ['boot', 'provisioner'],
      ['job', 'provisioner'],
      ['delete runner', 'janitor'],
    ]),
  );
  expectJobTime(received, runner);
  const asked = received.below(runner).filter(({ kind }) => kind === 'client');
  expect(asked.map((span) => received.parentOf(span)?.name)).toEqual(
    expect.arrayContaining(['register runner', 'deregister runner']),
  );
}

describe('a runner that is gone', { timeout: 180_000 }, () => {
  test.each(['before', 'after'] as const)(
    'has one trace, also when its provisioner is killed %s its instance is made',
    async (where) => {
      await using receiver = await startOtlpReceiver();
      const { stack, add, hold, held, release, runJobs } = await startTraced(receiver.url);
      await runJobs(2);
      const untouched = await takers(stack);
      await hold(where);
      const ids = await add(3);
      await eventually(async () => {
        const states = (await records(stack)).map(({ state }) => state);
        expect(states).toEqual(['creating', 'creating', 'creating']);
        expect((await simulator(stack).books()).registrations).toHaveLength(3);
        expect(await instances(stack)).toHaveLength(where === 'after' ? 3 : 0);
        // An instance that is being made has its folder already.
        expect(await held(where)).toBe(3);
      }, patient);
      const touched = (await records(stack)).map(({ name }) => name);
      const victim = stack.service('provisioner-0');
      const { pid } = victim;

      await victim.kill();
      await release();
      victim.restart();
      await untilDone(stack, ids);
      await runJobs(2);
      const received = await drained(stack, receiver);

      const { runners } = received;
      expect([...runners.keys()]).toEqual(expect.arrayContaining([...untouched, ...touched]));
      // One that was registered and never made is replaced: its JIT config can be used only once.
      expect(runners.size).toBeGreaterThanOrEqual(where === 'after' ? 7 : 10);
      const took = await takers(stack);
      for (const runner of runners.values()) {
        expectConnected(received, received.below(expectRoot(received, runner)));
      }
      // A slow machine may make another one, which nobody needs any more.
      for (const name of new Set([...took, ...touched])) {
        const runner = theRunner(received, name);
        const isReplaced = where === 'before' && touched.includes(name);
        const steps = order(received, runner);
        const worked = isReplaced ? [] : ['boot', 'job'];
        expect(steps).toEqual(['create runner', ...worked, 'delete runner']);
        expectJobTime(received, runner);
        expect(runner.status === 'error', name).toBe(isReplaced);
        const creators = received.childrenOf(runner).filter((one) => one.name === 'create runner');
        expect(creators.some((span) => pidOf(span) === pid)).toBe(untouched.includes(name));
      }
      expect(received.orphans).toEqual([]);
      expect(receiver.violations).toEqual([]);
      expect(await simulator(stack).books()).toMatchObject({ lostJobs: 0, duplicateRunners: 0 });
    },
  );

  test('has a trace of its own, linked to the poll, when that asked for more than ten; it is told whole or not at all, as its record says', async () => {
    await using receiver = await startOtlpReceiver();
    const { stack, add, hold, release } = await startTraced(receiver.url, {
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.5',
    });
    await hold('before');
    const ids = await add(12);
    const runners = await eventually(async () => {
      const all = await records(stack);
      expect(all).toHaveLength(12);
      return all;
    }, patient);
    await release();
    await untilDone(stack, ids);
    const received = await drained(stack, receiver);

    const contexts = runners.map(({ traceparent }) => parseTraceparent(traceparent));
    expect(new Set(contexts.map((context) => context?.traceId)).size).toBe(12);
    for (const [place, { name, tracedFrom }] of runners.entries()) {
      const context = contexts[place];
      const asked = parseTraceparent(tracedFrom);
      const runner = received.runners.get(name);
      expect(runner !== undefined, name).toBe(context?.sampled);
      const told = received.spans.filter(({ traceId }) => traceId === context?.traceId);
      if (!runner) {
        expect(told).toEqual([]);
        continue;
      }
      expect(runner).toMatchObject({ spanId: context?.spanId, parentSpanId: undefined });
      expect(runner.links).toContainEqual({ traceId: asked?.traceId, spanId: asked?.spanId });
      expectWholeLife(received, runner);
    }
    const polls = received.spans.filter(({ name }) => name === 'poll');
    for (const tracedFrom of new Set(runners.map((runner) => runner.tracedFrom))) {
      const asked = parseTraceparent(tracedFrom);
      expect(polls.some(({ spanId }) => spanId === asked?.spanId)).toBe(asked?.sampled);
    }
    expect(received.orphans).toEqual([]);
    expect(receiver.violations).toEqual([]);
  });
});

test.each(['hang', 'reset', 'absent'] as const)(
  'a collector that does this costs nobody anything: %s',
  { timeout: 180_000 },
  async (how) => {
    await using receiver = await startOtlpReceiver();
    if (how !== 'absent') receiver.behave(how);
    const url = how === 'absent' ? `http://127.0.0.1:${await freePort()}` : receiver.url;
    const { stack, runJobs } = await startTraced(url, { OTEL_BSP_MAX_QUEUE_SIZE: '20' });

    await runJobs(8);

    const startedAt = performance.now();
    expect(await stack.drain()).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(await simulator(stack).books()).toMatchObject({ lostJobs: 0, duplicateRunners: 0 });
    expect(new Received(receiver).spans).toEqual([]);
    if (how !== 'absent') expect(receiver.asked.length).toBeGreaterThan(0);
  },
);
