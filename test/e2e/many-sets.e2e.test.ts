import { readFile } from 'node:fs/promises';
import { streams } from '@baton/shared/contracts';
import { openPlans, openSpecs } from '@baton/shared/stores';
import { aPlan, aSpec, eventually } from '@baton/testkit';
import { expect, onTestFailed, test } from 'vitest';
import { type Scene, startScene } from './listener-fixture.ts';

const names = Array.from({ length: 50 }, (_, index) => `set-${index}`);
const jobsPerMessage = 50;
/** A listener that keeps more than its share at a time ends for want of heap. */
const heap = { NODE_OPTIONS: '--max-old-space-size=128' };
/** Messages that a scale set has in hand at most. */
const inFlightEach = 10;
/** What both bursts may add, in MiB; measured were 165 to 230. */
const maxGrowthMiB = 400;
const all = { timeoutMs: 60_000, everyMs: 100 };

test('bursts of full messages for fifty scale sets grow a listener by a bounded amount', async () => {
  await using scene = await startScene({ env: heap });
  const { server, sim } = scene;
  const admin = await server.connect('admin');
  await declareAll(scene);
  const listener = scene.listener('listener-0');
  onTestFailed(() => void process.stderr.write(listener.stderr.slice(-4_000)));
  const atRest = async () => {
    await eventually(async () => expect((await sim.state()).pollsHeld).toBe(names.length + 1), all);
  };
  await atRest();
  const before = await memoryOf(listener.pid, 'VmRSS');
  const say = async (messagesEach: number) => {
    await Promise.all(
      names.map((name) => sim.play(name, { entries: entriesOf(name, messagesEach) })),
    );
  };
  const handled = async () => {
    await eventually(async () => {
      const { scaleSets } = await sim.state();
      expect(scaleSets.map(({ messages }) => messages)).toEqual(scaleSets.map(() => 0));
    }, all);
  };

  await say(12);
  await handled();
  await atRest();
  // Nothing can be deleted, so that everything stays in hand.
  const pollsBefore = await pollsOf(sim);
  await sim.addFault({ route: 'deleteMessage', action: { kind: 'status', status: 503 } });
  await say(24);
  await eventually(async () => {
    expect((await sim.state()).pollsHeld).toBe(1);
    expect(await pollsOf(sim)).toEqual(pollsBefore.map((polls) => polls + inFlightEach - 1));
  }, all);
  await sim.clearFaults();
  await handled();

  const jsm = await admin.connection.jetstreamManager({ checkAPI: false });
  const { state } = await jsm.streams.info(streams.events, { subjects_filter: assignedSubject });
  expect(Object.values(state.subjects ?? {})).toEqual(names.map(() => 36 * jobsPerMessage));
  expect((await memoryOf(listener.pid, 'VmHWM')) - before).toBeLessThan(maxGrowthMiB);
});

/** How often each scale set was polled so far. */
async function pollsOf(sim: Scene['sim']): Promise<number[]> {
  const { scaleSets } = await sim.state();
  return names.map((name) => scaleSets.find((set) => set.name === name)?.session?.polls ?? 0);
}

async function declareAll({ server, configUrl }: Scene): Promise<void> {
  const specs = await openSpecs(await server.connect('admin'));
  const plans = await openPlans(await server.connect('provisioner'));
  const at = new Date().toISOString();
  for (const name of names) {
    const spec = aSpec({ declaration: { name, configUrl }, updatedAt: at });
    const { scaleSetId } = spec;
    await specs.put(scaleSetId, spec);
    await plans.put(scaleSetId, aPlan({ scaleSetId, free: 500, freeAt: at }));
  }
}

const assignedSubject = 'baton.v1.event.listener.*.job.assigned';

function entriesOf(name: string, messagesEach: number): Record<string, unknown>[] {
  return Array.from({ length: messagesEach * jobsPerMessage }, (_, index) => ({
    messageType: 'JobAssigned',
    jobId: `${name}-${messagesEach}-${index}`,
    jobDisplayName: `a job with a name of usual length, ${index}`,
    jobWorkflowRef: 'acme/app/.github/workflows/ci.yml@refs/heads/main',
    repositoryName: 'app',
    ownerName: 'acme',
    requestLabels: ['self-hosted', 'linux', name],
  }));
}

/** In MiB: now, or at the highest since the process started. */
async function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kib = 'NaN'] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status) ?? [];
  return Number(kib) / 1_024;
}
