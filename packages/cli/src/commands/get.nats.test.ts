import { afterEach, beforeEach, expect, test } from 'vitest';
import { aRunner, aSession, at, fileOf, id } from '../testing/builders.ts';
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

test('disable and enable change the spec once each', async () => {
  const said: string[] = [];
  for (const verb of ['disable', 'disable', 'enable'])
    said.push((await nats.run(`${verb} linux`)).stdout);
  await nats.run(`disable ${id}`);

  expect(said).toEqual([
    'scale set "linux" disabled\n',
    'scale set "linux" was disabled already\n',
    'scale set "linux" enabled\n',
  ]);
  expect((await nats.readSpec())?.value.declaration.enabled).toBe(false);
});

test('get shows what the services wrote, as table and as JSON', async () => {
  await nats.asService(async ({ statuses, sessions, plans, runners }) => {
    await statuses.put(id, {
      v: 1,
      scaleSetId: id,
      state: 'polling',
      owner: 'l-0',
      epoch: 5,
      since: at,
      lastPollAt: at,
    });
    await sessions.put(id, {
      ...aSession,
      demand: { epoch: 5, seq: 1, assigned: 4, observedAt: at },
    });
    const named = [{ runnerId: 'r1', recorded: true, namedAt: at }];
    await plans.put(id, { v: 1, scaleSetId: id, runners: named, free: 6, freeAt: at });
    await runners.create(`${id}.r1`, aRunner('r1', { job: { jobId: 'job-9', startedAt: at } }));
  });

  const sets = await nats.run('get scalesets -o json');
  const sessions = await nats.run('get sessions -o json');
  const runners = await nats.run('get runners --scale-set linux -o json');

  expect(sets.json()).toMatchObject([
    {
      name: 'linux',
      scaleSetId: id,
      state: 'polling',
      owner: 'l-0',
      sessionSince: at,
      assigned: 4,
      alive: 1,
      free: 6,
      reason: null,
    },
  ]);
  expect(sessions.json()).toMatchObject([
    {
      name: 'linux',
      sessionId: 's-1',
      owner: 'l-0/1',
      epoch: 5,
      state: 'polling',
      lastPollAt: at,
      conflict: null,
    },
  ]);
  expect(runners.json()).toMatchObject([
    { name: 'linux-test-r1', scaleSet: 'linux', state: 'busy', jobId: 'job-9' },
  ]);
  expect((await nats.run('get scalesets')).stdout).toMatch(
    /^NAME +STATE +OWNER .*\nlinux +polling +l-0 /,
  );
  expect((await nats.run('get sessions')).stdout).toMatch(/\nlinux +s-1 +l-0\/1 +5 +polling /);
  expect((await nats.run('get runners')).stdout).toMatch(/\nlinux-test-r1 +busy +\d+d\S* +job-9 /);
});

test('describe shows every record, and says which are not there', async () => {
  const told = await nats.run('describe linux');
  const json = await nats.run('describe linux -o json');

  expect(told.stdout).toMatch(/Declaration\n {2}name: linux\n/);
  expect(told.stdout).toContain('no listener has claimed it');
  expect(json.json()).toMatchObject({
    name: 'linux',
    spec: { declaration: { provider: 'local' } },
    status: null,
    session: null,
    plan: null,
    runners: [],
  });
});

test.each([
  'describe linus',
  'enable linus',
  'delete scaleset linus --yes',
  'get runners --scale-set linus',
])('%s names the nearest scale set', async (args) => {
  const { code, stdout, stderr } = await nats.run(args);

  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe('baton: there is no scale set "linus": did you mean "linux"?\n');
});
