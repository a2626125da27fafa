import { expect, test } from 'vitest';
import { z } from 'zod';
import { startClient } from '../testing/start-client.ts';

const groupsSchema = z.object({ value: z.array(z.object({ id: z.int(), name: z.string() })) });

test('groups are added and renamed in their place, and one in use does not go', async () => {
  const client = await startClient({ runnerGroups: ['production'] });
  const find = async (name: string) => {
    const answer = await client.api(`runtime/runnergroups/?groupName=${name}`);
    return groupsSchema.parse(await answer.json()).value.map(({ id }) => id);
  };

  await client.control.setRegistry({ runnerGroups: ['renamed', 'later'] });

  expect(await find('production')).toEqual([]);
  expect(await find('renamed')).toEqual([2]);
  expect(await find('later')).toEqual([3]);
  const body = { name: 'linux', runnerGroupId: 3, labels: [{ name: 'linux' }] };
  await client.api('runtime/runnerscalesets', { method: 'POST', body });
  await expect(client.control.setRegistry({ runnerGroups: ['renamed'] })).rejects.toThrow('400');
});

test('labels beyond the kept ones are dropped without a word until all are kept', async () => {
  const client = await startClient();
  const send = async (method: 'POST' | 'PATCH', path = '') => {
    const labels = [{ name: 'linux' }, { name: 'big' }];
    const body = { name: 'linux', runnerGroupId: 1, labels };
    expect((await client.api(`runtime/runnerscalesets${path}`, { method, body })).status).toBe(200);
    return (await client.control.state()).scaleSets[0];
  };

  await client.control.setRegistry({ keptLabels: 1 });
  const dropped = await send('POST');
  await client.control.setRegistry({ keptLabels: null });
  const mended = await send('PATCH', `/${dropped?.id}`);

  expect(dropped?.labels).toEqual(['linux']);
  expect(mended?.labels).toEqual(['linux', 'big']);
});

test('runners are told with who they are only, when that is asked for', async () => {
  const client = await startClient();
  const { agentId } = await client.jit(await client.scaleSet(), 'r1');
  const runner = async () => await (await client.api('distributedtask/pools/0/agents')).json();

  const full = await runner();
  await client.control.setRegistry({ bareRunners: true });
  const bare = await runner();

  expect(full).toMatchObject({ value: [{ id: agentId, status: 'offline', busy: false }] });
  expect(bare).toEqual({ count: 1, value: [{ id: agentId, name: 'r1', runnerScaleSetId: 1 }] });
});

test('many runners are registered by one call, and come online when they are played', async () => {
  const client = await startClient();
  await client.scaleSet();

  const ids = await client.control.registerRunners('linux', ['r1', 'r2']);
  await client.control.playRunners(['r2']);

  expect((await client.control.state()).runners).toMatchObject([
    { id: ids[0], name: 'r1', scaleSet: 'linux', status: 'offline' },
    { id: ids[1], name: 'r2', scaleSet: 'linux', status: 'idle' },
  ]);
  await expect(client.control.registerRunners('linux', ['r1'])).rejects.toThrow('409');
});

test('played runners end their jobs when they are told to, and are gone', async () => {
  const client = await startClient();
  const session = await client.session(await client.scaleSet());
  await client.control.registerRunners('linux', ['r1', 'r2']);
  await client.control.playRunners(['r1', 'r2']);
  const [id] = await client.control.addJobs({ scaleSet: 'linux' });
  await client.message(session);

  expect(await client.control.finishRunners(['r1', 'r2', 'r3'])).toHaveLength(1);
  expect(await client.control.finishRunners(['r1', 'r2'])).toEqual([]);

  expect(await client.control.jobs()).toMatchObject([{ id, status: 'completed' }]);
  expect((await client.control.books()).registrations).toHaveLength(1);
});
