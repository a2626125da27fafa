import { eventSubject } from '@baton/shared/contracts';
import { Publisher } from '@baton/shared/messaging';
import { silentLogger } from '@baton/shared/telemetry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { aRunner, fileOf, id } from '../testing/builders.ts';
import { startTestNats } from '../testing/setup.ts';

type Said = Readonly<Record<string, unknown>>;

const startMs = Date.now() - 60_000;
const views = z.array(z.looseObject({ type: z.string(), text: z.string(), by: z.string() }));
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
let nats: Awaited<ReturnType<typeof startTestNats>>;
let publish: (subject: string, event: Said, traceparent?: string) => Promise<void>;

beforeAll(async () => {
  nats = await startTestNats();
  await nats.run('topology apply');
  await nats.run(`apply -f ${await nats.file(fileOf('linux'))}`);
  publish = async (subject, event, traceparent) =>
    await nats.withNats(async (connection) => {
      const publisher = new Publisher(connection, silentLogger());
      await publisher.publishOnce(subject, event, { traceparent });
    });
});
afterAll(async () => {
  await nats.stop();
});

/** Times as `s` seconds after the start. */
function at(s: number): string {
  return new Date(startMs + s * 1_000).toISOString();
}

async function runnerEvent(what: string, s: number, part: Said & { runnerId: string }) {
  const source = what === 'deleted' ? 'janitor' : 'provisioner';
  const { runnerId } = part;
  const event = {
    ...{ v: 1, type: `runner.${what}`, scaleSetId: id, runnerName: `linux-test-${runnerId}` },
    ...{ at: at(s), by: `${source} ${source}-0`, ...part },
  };
  await publish(eventSubject(source, id, 'runner', what), event, `00-${trace}-00f067aa0ba902b7-01`);
}

async function jobEvent(what: string, s: number, part: Said) {
  const event = { v: 1, type: `job.${what}`, scaleSetId: id, at: at(s), jobId: 'job-1', ...part };
  await publish(eventSubject('listener', id, 'job', what), event);
}

describe('the life of a runner', () => {
  const runnerId = 'aaaaaaaaaa';
  const evidence = {
    views: [
      { view: 'instances of local', at: at(37), count: 12 },
      { view: 'records', at: at(38), count: 13 },
    ],
    since: at(20),
    looks: 3,
  };

  beforeAll(async () => {
    await runnerEvent('requested', 1, { runnerId: 'bbbbbbbbbb' });
    await runnerEvent('requested', 2, { runnerId });
    await runnerEvent('created', 2.5, { runnerId });
    await jobEvent('assigned', 3, {});
    await jobEvent('started', 4, { runnerName: `linux-test-${runnerId}`, repository: 'acme/app' });
    await jobEvent('started', 5, { runnerName: 'linux-test-bbbbbbbbbb', jobId: 'job-2' });
    await jobEvent('completed', 39, { result: 'canceled' });
    await jobEvent('completed', 39, { result: 'succeeded', jobId: 'job-2' });
    const decided = { reason: 'lost', text: 'it is not listed any more', evidence };
    await runnerEvent('marked', 40, { runnerId, ...decided });
    const end = { reason: 'lost', gate: 'github', attempts: 2, markedForMs: 5_000 };
    const who = { by: 'provisioner provisioner-0', carriedOutBy: 'janitor janitor-1' };
    await runnerEvent('deleted', 45, { runnerId, ...end, ...who });
  });

  test('is told in order, with who and why, by name and by id', async () => {
    const byId = await nats.run(`get events --runner ${runnerId} -o json`);
    const byName = await nats.run(`get events --runner linux-test-${runnerId} -o json`);

    const told = views.parse(byId.json());
    expect(byName.stdout).toBe(byId.stdout);
    expect(told.map(({ type }) => type)).toEqual([
      'runner.requested',
      'runner.created',
      'job.started',
      'job.completed',
      'runner.marked',
      'runner.deleted',
    ]);
    expect(told[3]).toMatchObject({ text: 'canceled; job job-1', jobId: 'job-1', by: 'listener' });
    expect(told[4]?.text).toBe(
      'lost; it is not listed any more; ' +
        'seen in instances of local (12, 3s before), records (13, 2s before), so for 20s, in 3 looks',
    );
    expect(told[5]).toMatchObject({
      by: 'janitor janitor-1',
      text: 'lost; gate github; decided by provisioner provisioner-0; 5s after the mark; 2 failed attempts',
      traceId: trace,
      scaleSet: 'linux',
      event: { reason: 'lost', markedForMs: 5_000 },
    });
  });

  test('is a table for people, with the time since the step before and the trace', async () => {
    const { stdout } = await nats.run(`get events --runner ${runnerId}`);

    expect(stdout).toMatch(/^linux-test-aaaaaaaaaa: deleted\ntrace 4bf92f35/);
    expect(stdout).toMatch(/\nTIME +AFTER +WHAT +WHO +TEXT\n/);
    expect(stdout).toMatch(/ 0\.500s +runner\.created +provisioner provisioner-0 +-\n/);
    expect(stdout).toMatch(/ 5\.000s +runner\.deleted +janitor janitor-1 +lost; /);
  });

  test('goes on where janitors find something of it after its end, whatever scale set that is said of', async () => {
    const runnerId = 'eeeeeeeeee';
    const late = async (what: string, scaleSetId: string, s: number) => {
      const name = { runnerId, runnerName: `linux-test-${runnerId}`, by: 'janitor janitor-0' };
      const event = { v: 1, type: `runner.${what}`, scaleSetId, at: at(s), ...name };
      await publish(eventSubject('janitor', scaleSetId, 'runner', what), event);
    };
    await runnerEvent('requested', 50, { runnerId });
    await runnerEvent('deleted', 51, { runnerId });
    await late('adopted', id, 52);
    await runnerEvent('deleted', 53, { runnerId });
    await late('deregistered', 'all', 54);

    const { stdout } = await nats.run(`get events --runner ${runnerId} -o json`);

    expect(views.parse(JSON.parse(stdout)).map(({ type }) => type)).toEqual([
      'runner.requested',
      'runner.deleted',
      'runner.adopted',
      'runner.deleted',
      'runner.deregistered',
    ]);
  });

  test('says what a runner is now, and how far its deletion has come', async () => {
    const mark = { reason: 'surplus', gate: 'none', by: 'provisioner p', at: at(30) } as const;
    const lastError = 'the provider does not answer';
    const retryAt = new Date(Date.now() + 3_600_000).toISOString();
    const deletion = {
      attempts: 3,
      deregistered: true,
      instanceDeleted: false,
      lastError,
      retryAt,
    };
    await runnerEvent('requested', 10, { runnerId: 'cccccccccc' });
    await nats.asService(async ({ runners }) => {
      const part = {
        state: 'deleting',
        createdAt: at(10),
        stateAt: at(31),
        mark,
        deletion,
      } as const;
      await runners.create(`${id}.cccccccccc`, aRunner('cccccccccc', part));
    });

    const { stdout } = await nats.run('get events --runner cccccccccc');

    expect(stdout).toMatch(
      /^linux-test-cccccccccc: deleting for \d+s; instance not deleted yet, deregistered; surplus: the provider does not answer \(tried 3 times\); tried again in 59m/,
    );
    expect(stdout).toContain(' runner.requested ');
  });

  test('of a runner that nobody knows: one clear line', async () => {
    const { code, stdout, stderr } = await nats.run('get events --runner linux-test-zzzzzzzzzz');

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      'baton: no event and no record is about a runner "linux-test-zzzzzzzzzz": events are kept for 7 days; see "baton get runners"\n',
    );
  });
});

describe('a list of events', () => {
  beforeAll(async () => {
    for (let count = 0; count < 3; count += 1) {
      const event = {
        v: 1,
        type: 'session.opened',
        scaleSetId: 'gone-00000000',
        at: at(50 + count),
      };
      const said = { ...event, by: `l-${count}`, epoch: 1, how: 'resumed', sessionId: 's' };
      await publish(eventSubject('listener', 'gone-00000000', 'session', 'opened'), said);
    }
  });

  test('is of the newest, of a scale set, of a type', async () => {
    const ofSet = views.parse(
      (await nats.run('get events --scale-set gone-00000000 -n 2 -o json')).json(),
    );
    const ofType = views.parse(
      (await nats.run('get events --type runner.requested -o json')).json(),
    );
    const sessions = (await nats.run('get events --type session')).stdout;

    expect(ofSet.map(({ by, text }) => [by, text])).toEqual([
      ['l-1', 'resumed'],
      ['l-2', 'resumed'],
    ]);
    expect(new Set(ofType.map(({ type }) => type))).toEqual(new Set(['runner.requested']));
    expect(sessions).toMatch(/ session\.opened +gone-00000000 +- +l-0 +resumed\n/);
  });

  test('leaves out what is older than --since', async () => {
    expect((await nats.run('get events --since 1h -n 1 -o json')).json()).toHaveLength(1);
    const ahead = { clockAheadMs: 7_200_000 };
    expect((await nats.run('get events --since 1h -o json', ahead)).json()).toEqual([]);
  });

  test.each([
    ['get events --since soon', 'Use a time such as 90s'],
    ['get events -n 0', 'Use a number from 1'],
    ['get events --type runner.>', 'Use a type such as'],
    ['get events --runner r1 --since 1h', 'cannot be used with'],
  ])('%s is wrong usage', async (args, text) => {
    const { code, stderr } = await nats.run(args);

    expect(code).toBe(2);
    expect(stderr).toContain(text);
  });
});
