import { type SweepAnswer, sweepKey, sweepSubject } from '@baton/shared/contracts';
import { openSweepConfirmations, openSweeps } from '@baton/shared/stores';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestNats } from '../testing/setup.ts';

let nats: Awaited<ReturnType<typeof startTestNats>>;
beforeAll(async () => {
  nats = await startTestNats();
  await nats.run('topology apply');
});
afterAll(async () => {
  await nats.stop();
});

const at = '2026-01-01T00:00:00.000Z';
const aHold = {
  ...{ id: 'h1', since: at, count: 2, of: 4, runnerIds: ['r1', 'r2'] },
  text: '2 of 4 would be marked (50 %)',
};
const aState = {
  ...{ v: 1 as const, sweep: 'lost' as const, by: 'j-0', startedAt: at, tookMs: 12 },
  ...{ lookedAt: 4, acted: 1, left: { 'seen once': 2 }, recent: [], hold: aHold },
};

beforeEach(async () => {
  await nats.withNats(async (connection) => {
    const sweeps = await openSweeps(connection);
    await sweeps.put(sweepKey('lost'), aState);
    const { hold: _hold, ...free } = { ...aState, hostId: 'rack-7' };
    await sweeps.put(sweepKey('lost', 'rack-7'), free);
  });
});

async function confirmations() {
  return await nats.withNats(async (connection) => {
    const stored = await openSweepConfirmations(connection);
    return (await stored.list('confirm')).map(({ key, value }) => [key, value.holdId]);
  });
}

/** Plays a janitor that answers like this while a command runs. */
async function playing<T>(
  answersTo: (request: { sweep: string; dryRun: boolean }) => Omit<SweepAnswer, 'v' | 'instance'>[],
  work: () => Promise<T>,
): Promise<T> {
  return await nats.withNats(async ({ connection }) => {
    connection.subscribe(sweepSubject, {
      callback: (_error, message) => {
        for (const answer of answersTo(message.json()))
          message.respond(JSON.stringify({ v: 1, instance: 'j-0', ...answer }));
      },
    });
    await connection.flush();
    return await work();
  });
}

describe('baton sweep list', () => {
  test('shows every sweep and part, what was done, left, and held', async () => {
    const { code, stdout } = await nats.run('sweep list');
    const lines = stdout.split('\n').map((line) => line.split(/ {2,}/));

    expect(code).toBe(0);
    expect(lines[0]?.slice(0, 4)).toEqual(['SWEEP', 'HOST', 'LEADER', 'LAST-RUN']);
    expect(lines.filter(([sweep]) => sweep === 'lost')).toEqual([
      ['lost', '-', '-', expect.stringMatching(/ ago$/), '4', '1', '2', 'seen once 2', '-'],
      ['lost', 'rack-7', '-', expect.stringMatching(/ ago$/), '4', '1', '-', 'seen once 2', '-'],
    ]);
    expect(lines).toContainEqual(['finished', '-', '-', '-', '-', '-', '-', '-', '-']);
  });

  test('is "get sweeps" as well, also as JSON', async () => {
    const [one, other] = [
      await nats.run('sweep list -o json'),
      await nats.run('get sweeps -o json'),
    ];

    expect(one.json()).toEqual(other.json());
    expect(one.json()).toContainEqual({
      ...{ sweep: 'lost', host: null, leader: null, lastRunAt: at, tookMs: 12, lookedAt: 4 },
      ...{ acted: 1, left: { 'seen once': 2 }, hold: aHold, problem: null },
    });
  });
});

describe('baton sweep run', () => {
  const found = {
    ...{ action: 'mark' as const, runnerId: 'r1', runnerName: 'linux-test-r1' },
    text: 'its instance is gone',
    evidence: { views: [{ view: 'instances of local', at, count: 3 }], since: at, looks: 2 },
  };

  test('says what would be done, why, what would be held and what is left alone', async () => {
    const { code, stdout } = await playing(
      ({ dryRun }) => [
        { kind: 'here' },
        {
          ...{ kind: 'done', lookedAt: dryRun ? 4 : 0, left: { 'seen once': 1 }, hold: aHold },
          ...{ findings: [{ ...found, held: true }], count: 3 },
        },
      ],
      () => nats.run('sweep run lost --dry-run'),
    );

    expect(code).toBe(0);
    expect(stdout).toContain('lost (j-0): looked at 4, would act on 3; left alone: seen once 1\n');
    expect(stdout).toContain(
      'held until "baton sweep confirm lost": 2 of 4 would be marked (50 %)\n',
    );
    expect(stdout).toContain('2 more than fit into an answer');
    expect(stdout).toMatch(
      / mark \(would be held\) linux-test-r1\n +its instance is gone\n +2 looks in \S+; instances of local: 3, \S+ ago\n/,
    );
  });

  test('"all" asks for each, and the parts of every host answer', async () => {
    const result = await playing(
      ({ sweep }) =>
        sweep === 'lost'
          ? [
              { kind: 'here', hostId: 'b' },
              { kind: 'done', hostId: 'b', lookedAt: 1, count: 0 },
              { kind: 'here', hostId: 'a' },
              { kind: 'done', hostId: 'a', lookedAt: 2, count: 0 },
            ]
          : [{ kind: 'here' }, { kind: 'done', lookedAt: 0, count: 0 }],
      () => nats.run('sweep run all --dry-run -o json'),
    );

    expect(result.code).toBe(0);
    expect(result.json()).toHaveLength(8);
    expect(result.json()).toContainEqual(
      expect.objectContaining({ sweep: 'lost', host: 'a', lookedAt: 2 }),
    );
  });

  test.each([
    ['no janitor answers', [], 'no janitor answers'],
    ['none leads it', [{ kind: 'idle' as const }], '1 janitor answers, and none leads it yet'],
    [
      'it fails',
      [{ kind: 'here' as const }, { kind: 'failed' as const, problem: 'NATS is away' }],
      'NATS is away',
    ],
    ['it does not end in time', [{ kind: 'here' as const }], 'give a longer --timeout'],
  ])('%s: ends with 1 and says so', async (_what, answers, text) => {
    const { code, stderr } = await playing(
      () => answers,
      () => nats.run('sweep run lost --timeout 1s'),
    );

    expect(code).toBe(1);
    expect(stderr).toContain('baton: sweep lost: ');
    expect(stderr).toContain(text);
  });

  test('nobody is subscribed: known at once', async () => {
    const { code, stderr } = await nats.run('sweep run lost');

    expect(code).toBe(1);
    expect(stderr).toBe('baton: sweep lost: no janitor answers: start one, or look at its log\n');
  });

  test('a name that is none is wrong usage, and told which are', async () => {
    const { code, stderr } = await nats.run('sweep run lots');

    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean "lost"?');
  });
});

describe('baton sweep confirm', () => {
  test('shows what it is about, asks, and writes the word for this hold', async () => {
    const questions: string[] = [];
    const { code, stdout, stderr } = await nats.run('sweep confirm lost', {
      ask: (question) => {
        questions.push(question);
        return Promise.resolve('y');
      },
    });

    expect(code).toBe(0);
    expect(stderr).toContain('2 of 4 would be marked (50 %)\n  r1\n  r2\n');
    expect(questions).toEqual(['Have sweep lost mark 2 runners deleted? [y/N] ']);
    expect(stdout).toMatch(/^confirmed: /);
    expect(await confirmations()).toEqual([['confirm.lost', 'h1']]);
  });

  test('does nothing when others are held by the time of the answer', async () => {
    const before = await confirmations();
    const { code, stderr } = await nats.run('sweep confirm lost', {
      ask: async () => {
        await nats.withNats(async (connection) => {
          const hold = { ...aHold, id: 'h2', runnerIds: ['r1', 'r3'] };
          await (await openSweeps(connection)).put(sweepKey('lost'), { ...aState, hold });
        });
        return 'y';
      },
    });

    expect(code).toBe(1);
    expect(stderr).toContain('others are held by now: nothing was confirmed');
    expect(await confirmations()).toEqual(before);
  });

  test('does nothing when the answer is no, or nobody can be asked', async () => {
    await nats.withNats(async (connection) => {
      const stored = await openSweepConfirmations(connection);
      for (const { key, revision } of await stored.list('confirm'))
        await stored.delete(key, revision);
    });

    const no = await nats.run('sweep confirm lost', { ask: () => Promise.resolve('') });
    const nobody = await nats.run('sweep confirm lost');

    expect(no).toMatchObject({ code: 1 });
    expect(no.stderr).toContain('baton: nothing was confirmed\n');
    expect(nobody).toMatchObject({ code: 2 });
    expect(nobody.stderr).toContain('add --yes to have 2 runners marked deleted');
    expect(await confirmations()).toEqual([]);
  });

  test('says where something is held when it is not there', async () => {
    const { code, stderr } = await nats.run('sweep confirm lost --host rack-7 --yes');

    expect(code).toBe(1);
    expect(stderr).toContain(
      'sweep lost holds nothing on host rack-7; something is held without --host',
    );
  });

  test('tells a program what it confirmed', async () => {
    const result = await nats.run('sweep confirm lost --yes -o json');

    expect(result.json()).toEqual({ sweep: 'lost', host: null, hold: aHold });
  });
});
