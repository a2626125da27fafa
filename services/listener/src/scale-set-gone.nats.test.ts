import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { aServedSet } from './testing/served-bench.ts';

const patient = { timeoutMs: 15_000 };
const unavailable = { kind: 'status', status: 503 } as const;
const assignment = (jobId: string) => ({ entries: [{ messageType: 'JobAssigned', jobId }] });
const foreign = { name: 'linux', runnerGroupId: 1, labels: ['theirs'] };

type ServedSet = Awaited<ReturnType<typeof aServedSet>>;

/** Three messages are behind the position of the poll. */
async function passMessages({ control, untilEmpty }: ServedSet): Promise<void> {
  for (const job of ['a', 'b', 'c']) {
    await control.play('linux', assignment(job));
    await untilEmpty();
  }
}

/** Somebody deletes the scale set and makes one of the same name, before the listener can. */
async function replaceByForeign({ control, github }: ServedSet): Promise<number> {
  const fault = await control.addFault({ route: 'listScaleSets', action: unavailable });
  await control.deleteScaleSet('linux');
  const { id } = await github.client.createScaleSet(foreign);
  await control.clearFaults(fault);
  return id;
}

describe('a scale set that is deleted at GitHub', () => {
  test('is created again with its labels, and read from the start, without a restart', async () => {
    const set = await aServedSet({ declaration: { labels: ['big'] } });
    const { control } = set;
    await passMessages(set);
    const before = await set.set();

    await control.deleteScaleSet('linux');

    await eventually(async () => expect((await set.session())?.held).toBe(true), patient);
    const after = await set.set();
    expect(after).toMatchObject({ runnerGroupId: 1, labels: ['linux', 'big'] });
    expect(after?.id).not.toBe(before?.id);
    expect((await set.registration())?.github).toMatchObject({
      scaleSetId: after?.id,
      createdByUs: true,
    });
    expect((await set.record())?.ring).toEqual([]);
    // Its message has the id of the first one before.
    const [job] = await control.addJobs({ scaleSet: 'linux' });
    await set.untilFacts(
      'job.assigned a',
      'job.assigned b',
      'job.assigned c',
      `job.assigned ${job}`,
    );
    await set.untilEmpty();
    expect(await set.events()).toMatchObject([
      { type: 'scale-set.registered', what: 'created', githubScaleSetId: before?.id },
      { type: 'session.opened' },
      { type: 'session.ended', reason: 'gone' },
      { type: 'scale-set.registered', what: 'created again', githubScaleSetId: after?.id },
      { type: 'session.opened', how: 'created' },
    ]);
    expect(set.hasEnded()).toBe(false);
  });

  test('and made again by somebody else is left alone, until it may be adopted', async () => {
    const set = await aServedSet({ declaration: { labels: ['big'] } });
    const theirs = await replaceByForeign(set);

    await eventually(async () => {
      expect((await set.status())?.reason).toContain('set "adopt: true" to take it over');
    }, patient);
    expect(await set.set()).toMatchObject({ id: theirs, labels: ['theirs'], session: null });
    expect(set.hasEnded()).toBe(false);
    await set.declare.spec({ adopt: true });

    await eventually(async () => expect((await set.session())?.held).toBe(true), patient);
    expect(await set.set()).toMatchObject({ id: theirs, labels: ['linux', 'big'] });
    expect((await set.registration())?.github).toMatchObject({
      scaleSetId: theirs,
      createdByUs: false,
    });
    const [job] = await set.control.addJobs({ scaleSet: 'linux' });
    await set.untilFacts(`job.assigned ${job}`);
    expect(await set.events()).toContainEqual(
      expect.objectContaining({ type: 'scale-set.registered', what: 'adopted again' }),
    );
  });

  test('is looked for first: one that is there after all keeps its session', async () => {
    const set = await aServedSet();
    const { control } = set;
    const [before, session] = [await set.set(), await set.session()];
    const typeName = 'GitHub.Actions.Runtime.WebApi.RunnerScaleSetNotFoundException';
    const body = JSON.stringify({ typeName, message: 'No runner scale set found.' });
    const action = { kind: 'status', status: 404, body } as const;
    await control.addFault({ id: 'gone', route: 'getMessage', first: 1, action });

    await eventually(async () => expect(await set.struck('gone')).toBe(1), patient);
    const [job] = await control.addJobs({ scaleSet: 'linux' });

    await set.untilFacts(`job.assigned ${job}`);
    expect((await set.set())?.id).toBe(before?.id);
    expect((await set.session())?.id).toBe(session?.id);
    expect(await control.books()).toMatchObject({ sessionsCreated: 1, sessionConflicts: 0 });
  });
});
