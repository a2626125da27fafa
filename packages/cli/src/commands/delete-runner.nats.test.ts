import {
  type Runner,
  type RunnerCommand,
  runnerCommandSchema,
  streams,
} from '@baton/shared/contracts';
import { systemClock } from '@baton/shared/time';
import { storedMessages } from '@baton/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runBaton } from '../program.ts';
import { aRunner, at, fileOf, id } from '../testing/builders.ts';
import { requiredEnv, startTestNats } from '../testing/setup.ts';

let nats: Awaited<ReturnType<typeof startTestNats>>;

beforeEach(async () => {
  nats = await startTestNats();
  await nats.run('topology apply');
  await nats.run(`apply -f ${await nats.file(fileOf('linux'))}`);
  await write(aRunner('r1'));
});
afterEach(async () => {
  await nats.stop();
});

async function write(runner: Runner): Promise<void> {
  await nats.asService(async ({ runners }) => {
    await runners.put(`${id}.${runner.runnerId}`, runner);
  });
}

async function commands(): Promise<RunnerCommand[]> {
  const stored = await nats.withNats(async (one) => await storedMessages(one, streams.commands));
  return stored.map(({ data }) => runnerCommandSchema.parse(data));
}

/** Plays the janitor: does so with the record once the command is there. */
async function answer(play: (operatorAt: string) => Promise<void>): Promise<void> {
  const operatorAt = await expect
    .poll(async () => (await commands()).at(-1)?.operator?.at, { timeout: 5_000 })
    .toBeDefined()
    .then(async () => (await commands()).at(-1)?.operator?.at ?? '');
  await play(operatorAt);
}

async function remove(): Promise<void> {
  await nats.asService(async ({ runners }) => {
    const entry = await runners.get(`${id}.r1`);
    await runners.delete(`${id}.r1`, entry?.revision ?? 0);
  });
}

test('asks for the deletion of a runner by its name or id, and changes no record itself', async () => {
  const env = { USER: 'alice' };
  const byName = await nats.run('runner delete linux-test-r1', { env });
  const byId = await nats.run('runner delete r1 --scale-set linux --force --yes -o json', { env });

  expect(byName).toMatchObject({ code: 0, stdout: 'runner "linux-test-r1" will be deleted\n' });
  expect(byName.stderr).toContain('linux-test-r1 is busy: it goes when GitHub lets it go');
  expect(byId.json()).toMatchObject({ runnerId: 'r1', scaleSetId: id, outcome: 'asked' });
  expect(await commands()).toMatchObject([
    { runnerId: 'r1', operator: { by: 'operator alice' } },
    { runnerId: 'r1', operator: { by: 'operator alice', force: true } },
  ]);
  const record = await nats.asService(async ({ runners }) => await runners.get(`${id}.r1`));
  expect(record?.value).toEqual(aRunner('r1'));
});

test('asks a person before a job may end, and wants --yes where nobody can be asked', async () => {
  const refused = await nats.run('runner delete r1 --force');
  const declined = await nats.run('runner delete r1 --host-gone', {
    ask: async () => await Promise.resolve('n'),
  });

  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain('add --yes to delete runner "linux-test-r1"');
  expect(declined).toMatchObject({ code: 1 });
  expect(declined.stderr).toContain('nothing was deleted');
  expect(await commands()).toEqual([]);
});

test('says which names there are when there is none like that', async () => {
  const { code, stderr } = await nats.run('runner delete linux-test-r2');

  expect(code).toBe(1);
  expect(stderr).toBe('baton: there is no runner "linux-test-r2": did you mean "linux-test-r1"?\n');
});

test('waits until the record is gone, and tells what it waits for', async () => {
  const said = { stdout: '', stderr: '' };
  const into = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      said[name] += text;
    },
  });
  const io = { stdout: into('stdout'), stderr: into('stderr'), clock: systemClock };
  const env = { ...requiredEnv, ...nats.env };
  const deleting = runBaton(['runner', 'delete', 'r1', '--wait', '-o', 'json'], { ...io, env });
  await answer(async (markedAt) => {
    const mark = { reason: 'operator', gate: 'github', by: 'operator a', at: markedAt } as const;
    const deletion = { attempts: 1, deregistered: false, instanceDeleted: false, lastError: '503' };
    await write(aRunner('r1', { state: 'deleting', mark, deletion }));
  });
  await expect
    .poll(() => said.stderr, { timeout: 5_000 })
    .toContain('waiting for "linux-test-r1": 503 (tried once)');
  const shown = await nats.run('get runners');
  await remove();

  expect(await deleting).toBe(0);
  expect(JSON.parse(said.stdout)).toMatchObject({ outcome: 'deleted', text: null });
  expect(shown.stdout).toContain('operator: 503 (tried once)');
});

test('says that a runner stays when its mark was taken back', async () => {
  const deleting = nats.run('runner delete r1 --wait');
  await answer(async (markedAt) => {
    const kept = { markedAt, at, by: 'janitor j-0', reason: 'operator', text: 'it runs a job' };
    await write(aRunner('r1', { kept }));
  });
  const { code, stderr, stdout } = await deleting;

  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('runner "linux-test-r1" stays: it runs a job');
});

test('gives up waiting at its time-out, and says that nobody has taken it up', async () => {
  const { code, stderr } = await nats.run('runner delete r1 --wait --timeout 300ms');

  expect(code).toBe(1);
  expect(stderr).toContain('is not deleted after 0s: no janitor has taken it up yet');
});
