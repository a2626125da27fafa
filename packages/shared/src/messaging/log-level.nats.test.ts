import { FakeClock, type NatsUser, startTestNats, type TestNats } from '@baton/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { logLevelSubject } from '../contracts/index.ts';
import { LogLevels, silentLogger } from '../telemetry/index.ts';
import type { Nats } from './connect.ts';
import { answerLogLevels } from './log-level-answers.ts';
import { askLogLevels } from './log-level-ask.ts';

let server: TestNats;
let cli: Nats;
let clock: FakeClock;
beforeEach(async () => {
  server = await startTestNats({ withTopology: false });
  cli = await server.connect('cli');
  clock = new FakeClock();
});
afterEach(() => server[Symbol.asyncDispose]());

/** A process of a service with the rights of production; its levels. */
async function aProcess(service: NatsUser, identity: string): Promise<LogLevels> {
  const nats = { ...(await server.connect(service)), clock };
  const levels = new LogLevels({ all: 'info', components: { nats: 'warn' } });
  const holder = { identity, incarnation: 'abc' };
  answerLogLevels(nats, { service, holder, log: silentLogger(), levels });
  await nats.connection.flush();
  return levels;
}

function levelOf(levels: LogLevels, name: string) {
  return levels.current.find(({ component }) => component === name)?.level;
}

describe('askLogLevels', () => {
  test('every process of every service says what its log shows', async () => {
    await aProcess('listener', 'listener-1');
    await aProcess('listener', 'listener-0');
    await aProcess('provisioner', 'provisioner-0');
    await aProcess('janitor', 'janitor-0');

    const answers = await askLogLevels(cli, { v: 1, kind: 'list' });

    const names = ['janitor-0', 'listener-0', 'listener-1', 'provisioner-0'];
    expect(answers.map(({ identity }) => identity)).toEqual(names);
    expect(answers[0]?.levels).toContainEqual({
      component: 'nats',
      level: 'warn',
      configured: 'warn',
    });
  });

  test('a change reaches all processes of a service, is answered with its end, and ends', async () => {
    const [first, second, other] = [
      await aProcess('listener', 'listener-0'),
      await aProcess('listener', 'listener-1'),
      await aProcess('janitor', 'janitor-0'),
    ];

    const change = {
      kind: 'set',
      components: ['poll', 'nats'],
      level: 'debug',
      forMs: 60_000,
    } as const;
    const answers = await askLogLevels(cli, { v: 1, service: 'listener', ...change });

    expect(answers.map(({ identity }) => identity)).toEqual(['listener-0', 'listener-1']);
    expect(answers[1]?.levels).toContainEqual({
      component: 'poll',
      level: 'debug',
      configured: 'info',
      until: '2026-01-01T00:01:00.000Z',
    });
    expect([first, second, other].map((one) => levelOf(one, 'poll'))).toEqual([
      'debug',
      'debug',
      'info',
    ]);
    await clock.advance(60_000);
    expect([levelOf(first, 'poll'), levelOf(first, 'nats')]).toEqual(['info', 'warn']);
  });

  test('one process alone, all of its components, and back at once', async () => {
    const levels = await aProcess('listener', 'listener-0');
    await aProcess('listener', 'listener-1');
    const whom = { v: 1, instance: 'listener-0' } as const;

    const changed = await askLogLevels(cli, {
      ...whom,
      kind: 'set',
      level: 'silent',
      forMs: 60_000,
    });
    const silent = levels.current.every(({ level }) => level === 'silent');
    const back = await askLogLevels(cli, { ...whom, kind: 'reset' });

    expect([changed.length, silent, back.length]).toEqual([1, true, 1]);
    expect(levels.current.some(({ until }) => until !== undefined)).toBe(false);
  });

  test('a component that a process does not know changes nothing there, and neither does nonsense', async () => {
    const levels = await aProcess('listener', 'listener-0');
    const before = levels.current;

    cli.connection.publish(logLevelSubject, 'nonsense');
    const set = {
      kind: 'set',
      components: ['of-tomorrow'],
      level: 'debug',
      forMs: 60_000,
    } as const;
    const answers = await askLogLevels(cli, { v: 1, ...set });

    expect(answers).toHaveLength(1);
    expect(levels.current).toEqual(before);
  });

  test('nobody is there: the answer is empty; and only the CLI may ask', async () => {
    expect(await askLogLevels(cli, { v: 1, kind: 'list' })).toEqual([]);
    const { connection } = await server.connect('janitor');

    const asked = connection.request(logLevelSubject, '{}');

    await expect(asked).rejects.toMatchObject({ code: 'PERMISSIONS_VIOLATION' });
  });
});
