import { done, reject } from '@baton/shared/messaging';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { fileOf, id } from '../testing/builders.ts';
import { whileReplaying, writeLetter } from '../testing/dead-letters.ts';
import { startTestNats } from '../testing/setup.ts';

let nats: Awaited<ReturnType<typeof startTestNats>>;

beforeEach(async () => {
  nats = await startTestNats();
  await nats.run('topology apply');
  await nats.run(`apply -f ${await nats.file(fileOf('linux'))}`);
});
afterEach(async () => {
  await nats.stop();
});

const listSchema = z.array(z.looseObject({ id: z.int() }));

/** The ids that a list with these options shows. */
async function listed(options = ''): Promise<number[]> {
  const printed = (await nats.run(`dead list -o json${options}`)).json();
  return listSchema.parse(printed).map((letter) => letter.id);
}

describe('baton dead list', () => {
  test('shows a letter whole, as JSON with the name of its scale set', async () => {
    const [letter = 0] = await writeLetter(nats, { reason: 'JobStarted: runnerId: no number' });

    const printed = (await nats.run('dead list -o json')).json();

    expect(printed).toEqual([
      {
        id: letter,
        at: '2026-01-01T00:00:00.000Z',
        service: 'listener',
        kind: 'message',
        scaleSetId: id,
        scaleSet: 'linux',
        reason: 'JobStarted: runnerId: no number',
        subject: null,
        bytes: 14,
        missingParts: [],
      },
    ]);
  });

  test('is filtered by service, by kind, and by scale set, also one that is gone', async () => {
    const [first = 0] = await writeLetter(nats);
    const [second = 0] = await writeLetter(nats, { service: 'provisioner', kind: 'event' });
    const [third = 0] = await writeLetter(nats, { scaleSetId: 'gone-12345678' });

    expect(await listed()).toEqual([first, second, third]);
    expect(await listed(' --service provisioner')).toEqual([second]);
    expect(await listed(' --kind message')).toEqual([first, third]);
    expect(await listed(' --scale-set linux')).toEqual([first, second]);
    expect(await listed(` --scale-set ${id} --kind event`)).toEqual([second]);
    expect(await listed(' --scale-set gone-12345678')).toEqual([third]);
    expect(await listed(' --service janitor')).toEqual([]);
  });

  test('shows the newest, and says how to see those before', async () => {
    const ids = [];
    for (let n = 0; n < 3; n += 1) ids.push(...(await writeLetter(nats)));

    const newest = await nats.run('dead list --limit 2');
    const before = await listed(` --limit 2 --before ${ids[1]}`);

    expect(newest.stdout.match(/^\d+/gm)?.map(Number)).toEqual(ids.slice(1));
    expect(newest.stderr).toContain(`There are older ones: add --before ${ids[1]}`);
    expect(before).toEqual([ids[0]]);
  });

  test('a letter of which a part is missing is marked', async () => {
    const [first = 0, second = 0] = await writeLetter(nats, { bodies: ['ab', 'cd', 'ef'] });
    await nats.withNats(async ({ connection }) => {
      await (await connection.jetstreamManager()).streams.deleteMessage('BATON_DEAD', second);
    });

    expect((await nats.run('dead list')).stdout).toMatch(/ 4, incomplete /);
    expect((await nats.run('dead list -o json')).json()).toMatchObject([
      { id: first, missingParts: [2] },
    ]);
  });

  test.each(['--limit 0', '--limit many', '--before -1', '--before x'])(
    '%s is wrong usage',
    async (options) => {
      expect(await nats.run(`dead list ${options}`)).toMatchObject({ code: 2, stdout: '' });
    },
  );
});

describe('baton dead show', () => {
  test('joins a letter in parts, also when it is asked for by another part', async () => {
    const bodies = ['{"runId":', '9007199254740993', '}'];
    const [first = 0, , last = 0] = await writeLetter(nats, { bodies });

    const raw = await nats.run(`dead show ${first} --raw`);
    const byPart = (await nats.run(`dead show ${last} -o json`)).json();
    const people = await nats.run(`dead show ${first}`);

    expect(raw).toMatchObject({ code: 0, stdout: bodies.join('') });
    expect(byPart).toMatchObject({ id: first, body: bodies.join(''), origin: null });
    expect(people.stdout).toContain('Body\n{\n  "runId": 9007199254740993\n}\n');
  });

  test('an id that is not there, and one that is none', async () => {
    expect(await nats.run('dead show 12')).toMatchObject({
      code: 1,
      stderr: 'baton: there is no dead letter 12: see "baton dead list"\n',
    });
    expect(await nats.run('dead show twelve')).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('baton dead replay', () => {
  test('what the service handles is removed, the rest is kept with the reason', async () => {
    const [good = 0] = await writeLetter(nats, { bodies: ['go', 'od'] });
    const [bad = 0] = await writeLetter(nats, { bodies: ['bad'] });
    const handled: string[] = [];
    const handle = (body: string) => {
      handled.push(body);
      return body === 'good' ? done() : reject('still\nodd');
    };

    const result = await whileReplaying(nats, 'listener', handle, () =>
      nats.run(`dead replay ${good} ${bad}`),
    );

    expect(result.code).toBe(1);
    expect(result.stdout.split('\n').sort()).toEqual(
      ['', `${good} replayed`, `${bad} still not understood: still odd`].sort(),
    );
    expect(result.stderr).toBe('baton: 1 of 2 were not replayed\n');
    expect(handled.sort()).toEqual(['bad', 'good']);
    expect(await listed()).toEqual([bad]);
  });

  test('all of a scale set, and no others; again there is nothing to do', async () => {
    const [ours = 0] = await writeLetter(nats);
    const [other = 0] = await writeLetter(nats, { scaleSetId: 'gone-12345678' });
    const replay = () => nats.run('dead replay --all --scale-set linux -o json');

    const [first, second] = await whileReplaying(nats, 'listener', done, async () => [
      await replay(),
      await replay(),
    ]);

    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.json()).toEqual([{ id: ours, outcome: 'replayed', reason: null }]);
    expect(second.json()).toEqual([]);
    expect(await listed()).toEqual([other]);
  });

  test('when no service answers it says so, and the letter stays', async () => {
    const [letter = 0] = await writeLetter(nats);

    const result = await nats.run(`dead replay ${letter} --timeout 1s`);

    expect(result).toMatchObject({
      code: 1,
      stdout: `${letter} no listener answered; one will replay it when it runs, for a day\n`,
    });
    expect(await listed()).toEqual([letter]);
  });

  test('a dry run asks nobody, and a letter that is gone is a failure', async () => {
    const [letter = 0] = await writeLetter(nats);

    const dry = await nats.run('dead replay --all --dry-run');
    const gone = await nats.run(`dead replay ${letter + 1} -o json`);

    expect(dry).toMatchObject({ code: 0, stdout: `${letter} would be replayed; now: odd\n` });
    expect(gone.code).toBe(1);
    expect(gone.json()).toEqual([{ id: letter + 1, outcome: 'missing', reason: null }]);
    expect(await listed()).toEqual([letter]);
  });

  test('a letter of a part of Baton that replays nothing is kept', async () => {
    const [letter = 0] = await writeLetter(nats, { service: 'gateway' });

    expect(await nats.run(`dead replay ${letter}`)).toMatchObject({
      code: 1,
      stdout: `${letter} still not understood: no service handles it again\n`,
    });
  });

  test.each([
    '',
    ' 1 --all',
    ' 1 --service listener',
    ' --scale-set linux',
    ' 0',
    ' 1 --timeout x',
  ])('dead replay%s is wrong usage', async (options) => {
    expect(await nats.run(`dead replay${options}`)).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('baton dead discard', () => {
  test('asks first, and takes no for an answer', async () => {
    const [letter = 0] = await writeLetter(nats);
    const asked: string[] = [];
    const ask = (question: string) => {
      asked.push(question);
      return Promise.resolve('');
    };

    const refused = await nats.run(`dead discard ${letter}`, { ask });

    expect(asked).toEqual([`Discard dead letter ${letter} for good, unhandled? [y/N] `]);
    expect(refused).toMatchObject({ code: 1, stderr: 'baton: nothing was discarded\n' });
    expect(await listed()).toEqual([letter]);
  });

  test('removes all parts once it is told yes, and no other letter', async () => {
    const [letter = 0] = await writeLetter(nats, { bodies: ['a', 'b', 'c'] });
    const [other = 0] = await writeLetter(nats);

    const result = await nats.run(`dead discard ${letter}`, { ask: () => Promise.resolve('y') });

    expect(result).toMatchObject({ code: 0, stdout: `${letter} discarded\n` });
    expect(await listed()).toEqual([other]);
    expect(await nats.run(`dead show ${letter + 2}`)).toMatchObject({ code: 1 });
  });

  test('where nobody can be asked it needs --yes', async () => {
    const [letter = 0] = await writeLetter(nats);

    const refused = await nats.run(`dead discard ${letter}`);
    const kept = await listed();
    const confirmed = await nats.run(`dead discard ${letter} --yes`);

    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(`add --yes to discard dead letter ${letter}`);
    expect(kept).toEqual([letter]);
    expect(confirmed.code).toBe(0);
    expect(await listed()).toEqual([]);
  });

  test('with one wrong id nothing is discarded', async () => {
    const [letter = 0] = await writeLetter(nats);

    const result = await nats.run(`dead discard ${letter} ${letter + 1} --yes`);

    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(await listed()).toEqual([letter]);
  });
});
