import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
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
  const { stdout } = await nats.run(
    'get events --scale-set linux --type scale-set.changed -o json',
  );
  const events: unknown = JSON.parse(stdout);
  expect(events).toMatchObject(
    ['created', 'disabled', 'enabled', 'disabled'].map((text) => ({
      text,
      by: 'operator unknown',
    })),
  );
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
    await plans.put(id, {
      v: 1,
      scaleSetId: id,
      runners: named,
      free: 6,
      freeAt: new Date().toISOString(),
    });
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

test('free capacity that no provisioner has reported of late is unknown', async () => {
  await nats.asService(async ({ plans }) => {
    await plans.put(id, { v: 1, scaleSetId: id, runners: [], free: 6, freeAt: at });
  });

  expect((await nats.run('get scalesets -o json')).json()).toMatchObject([{ free: null }]);
  expect((await nats.run('get scalesets')).stdout).toMatch(/ ALIVE +FREE .*\n.* 0 +- +local /);
});

test('without scale sets there is a hint for people, and an empty list for programs', async () => {
  await nats.asService(async ({ specs }) => {
    const entry = await specs.get(id);
    if (entry) await specs.delete(id, entry.revision);
  });

  const table = await nats.run('get scalesets');
  const json = await nats.run('get scalesets -o json');

  expect(table.stderr).toBe('baton: no scale sets; apply a file with "baton apply -f FILE"\n');
  expect([json.json(), json.stderr]).toEqual([[], '']);
});

test('what is wrong, and details of a conflict, are shown by get and by describe', async () => {
  const later = '2026-01-01T00:05:00.000Z';
  await nats.asService(async ({ statuses }) => {
    await statuses.put(id, {
      v: 1,
      scaleSetId: id,
      state: 'conflicted',
      owner: 'l-0',
      epoch: 5,
      since: at,
      reason: 'the scale set already has an active session',
      lastPollAt: at,
      lastMessageAt: at,
      conflict: { since: at, attempts: 12, nextAttemptAt: later, ownerText: 'arc-listener' },
      conditions: [
        { type: 'labels-dropped', since: later, text: 'without the label gpu' },
        { type: 'conflicted', since: at, text: 'stop the other client' },
      ],
      replacedAt: [],
    });
  });

  const [set] = z.array(z.unknown()).parse((await nats.run('get scalesets -o json')).json());
  const table = (await nats.run('get scalesets')).stdout;
  const described = (await nats.run('describe linux')).stdout;

  expect(set).toMatchObject({
    state: 'conflicted',
    epoch: 5,
    lastPollAt: at,
    lastMessageAt: at,
    reason: 'the scale set already has an active session',
    conditions: [
      { type: 'conflicted', since: at, text: 'stop the other client' },
      { type: 'labels-dropped', text: 'without the label gpu' },
    ],
  });
  expect(table).toMatch(/ conflicted,labels-dropped +the scale set already has an active session/);
  expect((await nats.run('get sessions')).stdout).toMatch(/12 attempts .* held by arc-listener/);
  for (const part of ['labels-dropped', 'without the label gpu', 'arc-listener', 'attempts: 12']) {
    expect(described).toContain(part);
  }
});

test('what is wrong is the reason of a scale set that is polled', async () => {
  await nats.asService(async ({ statuses }) => {
    const said = { v: 1 as const, scaleSetId: id, owner: 'l-0', epoch: 5, since: at };
    const conditions = [{ type: 'jobs-not-assigned', since: at, text: 'run them again' }];
    await statuses.put(id, { ...said, state: 'polling', conditions, replacedAt: [] });
  });

  expect((await nats.run('get scalesets')).stdout).toMatch(/ jobs-not-assigned +run them again/);
});

test('what holds creation back is shown for the scale set and for each runner', async () => {
  const soon = new Date(Date.now() + 60_000).toISOString();
  const reason = 'provider "local" fails: transient: the host is gone';
  await nats.asService(async ({ plans, runners }) => {
    const plan = { v: 1 as const, scaleSetId: id, runners: [], free: 0, freeAt: at };
    const waiting = { reason: 'back-off', missing: 1, text: reason, until: soon };
    const backoff = { failures: 3, retryAt: soon, reason };
    await plans.put(id, { ...plan, backoff, waiting });
    const failure = { class: 'image', text: 'no such image' };
    const later = { state: 'requested', retryAt: soon, postponed: { reason, count: 2 } } as const;
    await runners.create(`${id}.r1`, aRunner('r1', later));
    await runners.create(`${id}.r2`, aRunner('r2', { state: 'failed', failure, retryAt: at }));
    const progress = 'pulling: 40 %';
    await runners.create(`${id}.r3`, aRunner('r3', { state: 'creating', progress }));
    await runners.create(`${id}.r4`, aRunner('r4', { state: 'idle', progress }));
  });

  const runners = z.array(z.unknown()).parse((await nats.run('get runners -o json')).json());
  const described = (await nats.run('describe linux')).stdout;

  expect((await nats.run('get scalesets -o json')).json()).toMatchObject([
    { backoff: { failures: 3, reason, retryAt: soon }, retryAt: soon, reason },
  ]);
  expect((await nats.run('get scalesets')).stdout).toMatch(/ in \d+s +- +provider "local" fails/);
  expect(runners).toMatchObject([
    { runnerId: 'r1', retryAt: soon, reason, postponedCount: 2, failureClass: null },
    { runnerId: 'r2', retryAt: null, failureClass: 'image', failureText: 'no such image' },
    { runnerId: 'r3', progress: 'pulling: 40 %' },
    { runnerId: 'r4', progress: null },
  ]);
  for (const part of ['image: no such image', 'pulling: 40 %', reason]) {
    expect(described).toContain(part);
  }
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
