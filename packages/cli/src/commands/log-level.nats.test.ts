import { answerLogLevels } from '@baton/shared/messaging';
import { LogLevels, silentLogger } from '@baton/shared/telemetry';
import { startTestNats, type TestNats } from '@baton/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { baton } from '../testing/setup.ts';

let server: TestNats;
beforeEach(async () => {
  server = await startTestNats({ withTopology: false });
});
afterEach(() => server[Symbol.asyncDispose]());

/** Plays a process, with the rights of production. */
async function aProcess(service: 'listener' | 'janitor', identity: string): Promise<LogLevels> {
  const nats = await server.connect(service);
  const levels = new LogLevels({ all: 'info', components: { nats: 'warn' } });
  const holder = { identity, incarnation: 'abc' };
  answerLogLevels(nats, { service, holder, log: silentLogger(), levels });
  await nats.connection.flush();
  return levels;
}

async function run(args: string) {
  return await baton(`log-level ${args}`, { env: server.variablesOf('cli') });
}

test('list shows every process like its variable, and what was changed', async () => {
  const levels = await aProcess('listener', 'listener-0');
  await aProcess('janitor', 'janitor-0');
  await run('set debug --service listener --component poll,lease --for 1h');

  const { code, stdout } = await run('list');

  expect(code).toBe(0);
  const [heading, janitor, listener] = stdout.split('\n').map((line) => line.split(/ {2,}/));
  expect(heading).toEqual(['SERVICE', 'INSTANCE', 'LEVELS', 'CHANGED']);
  expect(janitor).toEqual(['janitor', 'janitor-0', 'info,nats=warn', '-']);
  expect(listener?.slice(0, 3)).toEqual([
    'listener',
    'listener-0',
    'info,nats=warn,lease=debug,poll=debug',
  ]);
  const until = levels.current.find(({ component }) => component === 'poll')?.until;
  expect(listener?.[3]).toBe(`lease, poll until ${until}`);
});

test('set and reset say what holds then, as JSON too', async () => {
  const levels = await aProcess('listener', 'listener-0');

  const set = await run('set silent -o json');
  const silent = levels.current.every(({ level }) => level === 'silent');
  const reset = await run('reset --instance listener-0 -o json');

  expect(silent).toBe(true);
  expect(set.json()).toMatchObject([
    { service: 'listener', instance: 'listener-0', incarnation: 'abc' },
  ]);
  expect(reset.json()).toMatchObject([
    {
      levels: expect.arrayContaining([
        { component: 'nats', level: 'warn', configured: 'warn', until: null },
      ]) as unknown,
    },
  ]);
});

test('a process that is not there is one clear error', async () => {
  const { code, stderr } = await run('list --service janitor');

  expect(code).toBe(1);
  expect(stderr).toBe('baton: no such process answers: look whether it runs and reaches NATS\n');
});

test.each([
  ['set loud', 'Allowed choices are debug, info, warn, error, silent'],
  ['set debug --component pol', 'There is no such component. Did you mean "poll"?'],
  ['set debug --for 2d', 'Use a time from 1s to 24h'],
  ['set debug --service listner', 'Allowed choices are listener, provisioner, janitor'],
])('"%s" is wrong usage', async (args, text) => {
  const { code, stderr } = await run(args);

  expect(code).toBe(2);
  expect(stderr).toContain(text);
});
