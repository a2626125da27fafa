import { afterEach, beforeEach, expect, test } from 'vitest';
import { aRunner, aSession, fileOf, id } from '../testing/builders.ts';
import { startTestNats } from '../testing/setup.ts';

let nats: Awaited<ReturnType<typeof startTestNats>>;
let file: string;

beforeEach(async () => {
  nats = await startTestNats();
  file = await nats.file(fileOf('linux'));
  await nats.run('topology apply');
  await nats.run(`apply -f ${file}`);
});
afterEach(async () => {
  await nats.stop();
});

test('delete waits for runners and listener, then removes every record', async () => {
  await nats.asService(async ({ runners, sessions }) => {
    await runners.create(`${id}.r1`, aRunner('r1'));
    await sessions.create(id, aSession);
  });

  const deleting = nats.run('delete scaleset linux --yes --timeout 20s');
  await expect
    .poll(async () => (await nats.readSpec())?.value.deleting, { timeout: 5_000 })
    .toBe(true);
  await nats.reportDeleted();
  await nats.asService(async ({ runners }) => {
    const entry = await runners.get(`${id}.r1`);
    await runners.delete(`${id}.r1`, entry?.revision ?? 0);
  });
  const { code, stdout, stderr } = await deleting;

  expect({ code, stdout }).toEqual({ code: 0, stdout: 'scale set "linux" deleted\n' });
  expect(stderr).toContain('waiting for "linux": 1 runner (1 busy)');
  await nats.asService(async (stores) => {
    const { specs, statuses, sessions, plans } = stores;
    const left = await Promise.all(
      [specs, statuses, sessions, plans].map((bucket) => bucket.get(id)),
    );
    expect(left).toEqual([undefined, undefined, undefined, undefined]);
  });
  expect((await nats.run('delete scaleset linux --yes')).code).toBe(1);
  expect((await nats.run(`apply -f ${file}`)).stdout).toContain('created');
});

test('delete gives up at its time-out, says why, and can be run again', async () => {
  await nats.asService(async ({ runners }) => {
    await runners.create(`${id}.r1`, aRunner('r1'));
  });

  const first = await nats.run('delete scaleset linux --yes --timeout 100ms');
  const enabling = await nats.run('enable linux');
  await nats.reportDeleted();
  await nats.asService(async ({ runners }) => {
    const entry = await runners.get(`${id}.r1`);
    await runners.delete(`${id}.r1`, entry?.revision ?? 0);
  });
  const second = await nats.run('delete scaleset linux');

  expect(first.code).toBe(1);
  expect(first.stderr).toContain(
    'in the way:\n  1 runner (1 busy)\n  no listener has reported on it\n',
  );
  expect(enabling).toMatchObject({ code: 1 });
  expect(enabling.stderr).toContain('is being deleted');
  expect(second).toMatchObject({ code: 0, stderr: '' });
});

test('delete finishes what an interrupted one has left', async () => {
  await nats.reportDeleted();
  await nats.asService(async ({ specs }) => {
    await specs.delete(id, (await specs.get(id))?.revision ?? 0);
  });

  const { code } = await nats.run('delete scaleset linux --yes');

  expect(code).toBe(0);
  expect(await nats.asService(async ({ statuses }) => await statuses.get(id))).toBeUndefined();
});

test('delete asks a person, and wants --yes where nobody can be asked', async () => {
  const refused = await nats.run('delete scaleset linux');
  const declined = await nats.run('delete scaleset linux', {
    ask: async () => await Promise.resolve('n'),
  });

  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain('add --yes');
  expect(declined).toMatchObject({ code: 1, stderr: 'baton: nothing was deleted\n' });
  expect((await nats.readSpec())?.value.deleting).toBe(false);
});
