import { streams } from '@baton/shared/contracts';
import { eventually, storedMessages } from '@baton/testkit';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { atRest, patient, startScene } from './listener-fixture.ts';

const demandSchema = z.object({
  type: z.literal('demand.changed'),
  demand: z.object({ epoch: z.int(), assigned: z.int() }),
});

test('a listener that comes back to messages which it could not delete asks for no runner', async () => {
  await using scene = await startScene();
  const { server, sim } = scene;
  const first = scene.listener('listener-0');
  await atRest(scene);
  const before = await scene.session();
  const undeleted = async () => (await sim.state()).scaleSets[0]?.messages;
  await sim.addFault({ route: 'deleteMessage', action: { kind: 'hang' } });
  const entries = ['JobAssigned', 'JobCompleted'].map((messageType) => ({
    messageType,
    jobId: 'a',
    result: 'succeeded',
  }));
  // Yesterday: statistics stay with the message that they were written into.
  await sim.play('linux', { entries, apart: true, statistics: { totalAssignedJobs: 5 } });
  await eventually(async () => {
    expect(await scene.facts()).toEqual(['job.assigned a', 'job.completed a']);
    expect((await scene.record())?.ring).toHaveLength(2);
  }, patient);
  const epoch = (await scene.record())?.epoch ?? 0;

  first.signal('SIGKILL');
  await first.exited();
  const unknown = entries.map((entry) => ({ ...entry, jobId: 'b' }));
  await sim.play('linux', { entries: unknown, apart: true });
  await sim.play('linux', { statistics: {} });
  expect(await undeleted()).toBe(4);
  await sim.clearFaults();
  scene.listener('listener-0');

  await eventually(async () => expect(await undeleted()).toBe(0), patient);
  await atRest(scene);
  expect((await sim.books()).messagesRedelivered).toBe(2);
  expect((await scene.session())?.id).toBe(before?.id);
  expect(await scene.facts()).toEqual([
    'job.assigned a',
    'job.assigned b',
    'job.completed a',
    'job.completed b',
  ]);
  const demands = await eventually(async () => {
    const later = (await storedMessages(await server.connect('admin'), streams.events))
      .flatMap(({ data }) => demandSchema.safeParse(data).data ?? [])
      .filter(({ demand }) => demand.epoch > epoch);
    expect(later.length).toBeGreaterThan(0);
    return later;
  }, patient);
  expect(demands.map(({ demand }) => demand.assigned)).toEqual(demands.map(() => 0));
  expect((await scene.record())?.demand?.assigned).toBe(0);
});
