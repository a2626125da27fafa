import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { aManager } from './testing/manager-bench.ts';

const mendEveryMs = 400;
const slow = { timeoutMs: 15_000, everyMs: 50 };

describe('a runner group', () => {
  test('that is missing is named, and used without a restart when it is created', async () => {
    const { declare, plan, session, status, conditions, announced, github, atGitHub } =
      await aManager({ mendEveryMs });
    await declare('linux', { group: 'production' });
    await plan('linux', { free: 1 });
    const text = /runner group "production" does not exist .*: create it there, or change/;
    await eventually(async () => {
      expect((await status('linux'))?.state).toBe('failed');
      expect((await status('linux'))?.reason).toMatch(text);
      expect((await conditions('linux'))['group-unknown']).toMatch(text);
    });
    expect(await atGitHub('linux')).toBeUndefined();

    await github.setRegistry({ runnerGroups: ['production'] });

    await eventually(async () => expect((await session('linux'))?.held).toBe(true), slow);
    expect((await atGitHub('linux'))?.runnerGroupId).toBe(2);
    await eventually(async () =>
      expect(await status('linux')).toMatchObject({ state: 'polling', conditions: [] }),
    );
    expect(await announced('group-unknown')).toEqual(['began', 'ended']);
  });

  test('that is missing when a scale set is to move there is named, and used later, in one session', async () => {
    const { declare, plan, session, conditions, github, atGitHub } = await aManager({
      mendEveryMs,
    });
    await declare('linux');
    await plan('linux', { free: 1 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(1));
    const before = await session('linux');

    await declare('linux', { group: 'production' });
    await eventually(async () =>
      expect((await conditions('linux'))['group-unknown']).toContain('"production"'),
    );
    await github.setRegistry({ runnerGroups: ['production'] });

    await eventually(async () => expect((await atGitHub('linux'))?.runnerGroupId).toBe(2), slow);
    await eventually(async () => expect(await conditions('linux')).toEqual({}));
    expect((await session('linux'))?.id).toBe(before?.id);
  });

  test('that is missing is forgotten when the scale set is declared without it again', async () => {
    const { declare, plan, session, conditions } = await aManager();
    await declare('linux');
    await plan('linux', { free: 1 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(1));
    await declare('linux', { group: 'production' });
    await eventually(async () =>
      expect(Object.keys(await conditions('linux'))).toEqual(['group-unknown']),
    );

    await declare('linux');

    await eventually(async () => expect(await conditions('linux')).toEqual({}), slow);
  });

  test('that was renamed keeps its scale set, which says so until the name fits', async () => {
    const { declare, plan, session, conditions, github, atGitHub } = await aManager({
      mendEveryMs,
      sim: { runnerGroups: ['production'] },
    });
    await declare('linux', { group: 'production' });
    await plan('linux', { free: 1 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(1));
    const before = await session('linux');
    await github.setRegistry({ runnerGroups: ['prod'] });

    await declare('linux', { group: 'production', labels: ['big'] });
    await eventually(async () =>
      expect((await conditions('linux'))['group-unknown']).toMatch(
        /"production" any more; the scale set stays in the group with the id 2: give the group's new name/,
      ),
    );
    await eventually(async () =>
      expect(await atGitHub('linux')).toMatchObject({ runnerGroupId: 2, labels: ['linux', 'big'] }),
    );
    await declare('linux', { group: 'prod', labels: ['big'] });

    await eventually(async () => expect(await conditions('linux')).toEqual({}), slow);
    expect(await atGitHub('linux')).toMatchObject({
      runnerGroupId: 2,
      session: { id: before?.id },
    });
  });

  test('that the credential may not see is told with what to do, and found again by itself', async () => {
    const { declare, plan, session, status, conditions, github } = await aManager({
      sim: { runnerGroups: ['production'] },
    });
    const body = '{"message":"Resource not accessible"}';
    const action = { kind: 'status', status: 403, body } as const;
    await github.addFault({ id: 'no-access', route: 'findRunnerGroup', action });
    await declare('linux', { group: 'production' });
    await plan('linux', { free: 1 });
    await eventually(async () => {
      expect((await status('linux'))?.state).toBe('failed');
      expect((await conditions('linux'))['credential-refused']).toContain(
        'check that the token or App key is valid',
      );
    });

    await github.clearFaults('no-access');

    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(1), slow);
    await eventually(async () => expect(await conditions('linux')).toEqual({}));
  });
});

test('a token that is refused is told with what to do, once', async () => {
  const { declare, plan, conditions, github } = await aManager();
  const action = { kind: 'status', status: 401, body: '{"message":"Bad credentials"}' } as const;
  await github.addFault({ route: 'createRegistrationToken', action });
  await declare('linux', {});
  await plan('linux', { free: 1 });

  const text = await eventually(async () => {
    const told = (await conditions('linux'))['credential-refused'];
    expect(told).toBeDefined();
    return told ?? '';
  }, slow);

  expect(text).toMatch(/^\S+ refused the personal access token for \S+ acme \(HTTP 401\): /);
  expect(text.match(/check that/g)).toHaveLength(1);
  expect(text.match(/expired/g)).toHaveLength(1);
});

describe('labels that the server does not keep', () => {
  test('are named while the scale set is served, and sent again until they are kept', async () => {
    const { declare, plan, session, status, conditions, announced, github, atGitHub } =
      await aManager({ mendEveryMs });
    await github.setRegistry({ keptLabels: 2 });
    await declare('linux', { labels: ['big', 'gpu'] });
    await plan('linux', { free: 1 });
    await eventually(async () => {
      expect((await session('linux'))?.heldCapacity).toBe(1);
      expect((await conditions('linux'))['labels-dropped']).toMatch(
        /without the label gpu: jobs that ask for it are not sent here/,
      );
    });
    const before = await session('linux');
    expect((await status('linux'))?.state).toBe('polling');

    await github.setRegistry({ keptLabels: null });

    await eventually(
      async () => expect((await atGitHub('linux'))?.labels).toEqual(['linux', 'big', 'gpu']),
      slow,
    );
    await eventually(async () => expect(await conditions('linux')).toEqual({}));
    expect(await announced('labels-dropped')).toEqual(['began', 'ended']);
    expect((await session('linux'))?.id).toBe(before?.id);
  });

  test('that were changed are at GitHub in seconds, in the same session', async () => {
    const { declare, plan, session, atGitHub } = await aManager();
    await declare('linux', { labels: ['big'] });
    await plan('linux', { free: 1 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(1));
    const before = await session('linux');

    await declare('linux', { labels: ['big', 'gpu'] });

    await eventually(async () =>
      expect((await atGitHub('linux'))?.labels).toEqual(['linux', 'big', 'gpu']),
    );
    expect((await session('linux'))?.id).toBe(before?.id);
  });
});
