import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import { atRest, ownerOf, patient, startScene } from './listener-fixture.ts';

test('a hand-over does not wait for an acknowledgement that GitHub does not answer', async () => {
  await using scene = await startScene();
  const names = ['listener-a', 'listener-b'];
  const listeners = new Map(names.map((name) => [name, scene.listener(name)]));
  for (const name of names) await scene.joined(name);
  await atRest(scene);
  const holder = ownerOf(await scene.record()) ?? '';
  const [peer = ''] = names.filter((name) => name !== holder);
  const hang = { route: 'deleteMessage', first: 1, action: { kind: 'hang' } } as const;
  const id = await scene.sim.addFault(hang);
  await scene.sim.play('linux', { entries: [{ messageType: 'JobAssigned', jobId: 'a' }] });
  await eventually(async () => {
    const { faults } = await scene.sim.state();
    expect(faults.find((fault) => fault.id === id)?.hits).toBe(1);
  }, patient);
  await atRest(scene);

  listeners.get(holder)?.signal('SIGTERM');

  await eventually(async () => {
    expect(ownerOf(await scene.record())).toBe(peer);
    expect(await scene.undeleted()).toBe(0);
    expect((await scene.session())?.held).toBe(true);
  }, patient);
  expect((await scene.sim.books()).sessionGapMs).toBeLessThanOrEqual(1_000);
  expect(await scene.facts()).toEqual(['job.assigned a']);
});
