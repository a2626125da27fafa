import { type NatsUser, startTestNats, type TestNats } from '@baton/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DoctorRequest, doctorSubject, type Finding } from '../contracts/index.ts';
import { silentLogger } from '../telemetry/index.ts';
import { type Clock, systemClock } from '../time/index.ts';
import type { Nats } from './connect.ts';
import { answerDoctor } from './doctor-answers.ts';
import { askDoctor } from './doctor-ask.ts';

type Examine = (request: DoctorRequest, signal: AbortSignal) => Promise<Finding[]>;

const fine: Finding = { check: 'token', outcome: 'ok', text: 'fine' };
const question = { timeoutMs: 1_000 };

let server: TestNats;
let cli: Nats;
beforeEach(async () => {
  server = await startTestNats({ withTopology: false });
  cli = await server.connect('cli');
});
afterEach(() => server[Symbol.asyncDispose]());

/** A process of a service with the rights of production. */
async function aProcess(service: NatsUser, identity: string, examine: Examine, clock?: Clock) {
  const nats = await server.connect(service, clock ? { clock } : {});
  const holder = { identity, incarnation: 'abc' };
  const stop = new AbortController().signal;
  answerDoctor(nats, { service, holder, log: silentLogger(), examine, stop });
  await nats.connection.flush();
  return nats;
}

/** An examination that ends when it is told to. */
function heldExamination() {
  const requests: DoctorRequest[] = [];
  const held = Promise.withResolvers<Finding[]>();
  const examine: Examine = (request) => {
    requests.push(request);
    return held.promise;
  };
  return { requests, examine, end: () => held.resolve([fine]) };
}

describe('askDoctor', () => {
  test('brings what every process of every service found', async () => {
    await aProcess('listener', 'listener-0', () => Promise.resolve([fine]));
    await aProcess('listener', 'listener-1', () =>
      Promise.resolve([{ ...fine, outcome: 'failed' as const }]),
    );
    await aProcess('provisioner', 'provisioner-0', ({ scaleSet = 'all' }) =>
      Promise.resolve([{ ...fine, about: scaleSet }]),
    );
    await aProcess('janitor', 'janitor-0', () => Promise.resolve([]));

    const reports = await askDoctor(cli, { ...question, scaleSet: 'linux' });

    const found = new Map(reports.map(({ identity, findings }) => [identity, findings]));
    expect(Object.fromEntries(found)).toEqual({
      'listener-0': [fine],
      'listener-1': [{ ...fine, outcome: 'failed' }],
      'provisioner-0': [{ ...fine, about: 'linux' }],
      'janitor-0': [],
    });
  });

  test('a process that is there and never ends its examination is told as such', async () => {
    await aProcess('listener', 'listener-0', () => Promise.resolve([fine]));
    const frozen = await server.connect('provisioner');
    frozen.connection.subscribe(doctorSubject, {
      callback: (_error, message) => {
        const from = { v: 1, service: 'provisioner', identity: 'provisioner-0', incarnation: 'a' };
        message.respond(JSON.stringify({ ...from, kind: 'here', now: new Date().toISOString() }));
      },
    });
    await frozen.connection.flush();

    const reports = await askDoctor(cli, question);

    const byName = new Map(reports.map(({ identity, findings }) => [identity, findings]));
    expect(byName.get('listener-0')).toEqual([fine]);
    expect(byName.has('provisioner-0')).toBe(true);
    expect(byName.get('provisioner-0')).toBeUndefined();
  });

  test('one that says nothing at all delays nobody and is not there', async () => {
    const mute = await server.connect('janitor');
    mute.connection.subscribe(doctorSubject, { callback: () => undefined });
    await mute.connection.flush();
    await aProcess('listener', 'listener-0', () => Promise.resolve([fine]));

    const reports = await askDoctor(cli, { timeoutMs: 60_000 });

    expect(reports.map(({ identity }) => identity)).toEqual(['listener-0']);
  });

  test('nobody is there: the answer is empty', async () => {
    expect(await askDoctor(cli, { timeoutMs: 60_000 })).toEqual([]);
  });

  test('a clock that differs is measured, and one that agrees is not', async () => {
    const behind = { ...systemClock, now: () => systemClock.now() - 90_000 };
    await aProcess('listener', 'listener-0', () => Promise.resolve([fine]), behind);
    await aProcess('listener', 'listener-1', () => Promise.resolve([fine]));

    const reports = await askDoctor(cli, question);

    const ahead = new Map(reports.map(({ identity, clockAheadMs }) => [identity, clockAheadMs]));
    expect(ahead.get('listener-0')).toBeGreaterThan(85_000);
    expect(ahead.get('listener-0')).toBeLessThanOrEqual(90_000);
    expect(ahead.get('listener-1')).toBe(0);
  });
});

describe('answerDoctor', () => {
  test('who asks the same while an examination runs gets its result', async () => {
    const { requests, examine, end } = heldExamination();
    const asked = await aProcess('listener', 'listener-0', examine);
    const first = askDoctor(cli, { timeoutMs: 30_000 });
    const second = askDoctor(cli, { timeoutMs: 30_000 });
    const third = askDoctor(cli, { timeoutMs: 30_000, scaleSet: 'linux' });
    await cli.connection.flush();
    // The server has all questions; now they are here too.
    await asked.connection.flush();

    end();

    for (const answer of [first, second, third]) {
      expect(await answer).toMatchObject([{ identity: 'listener-0', findings: [fine] }]);
    }
    expect(requests.map(({ scaleSet }) => scaleSet)).toEqual([undefined, 'linux']);
  });

  test('the time that was given ends an examination, with what was found by then', async () => {
    const patient: Examine = async (_request, signal) => {
      const { promise, resolve } = Promise.withResolvers<Finding[]>();
      signal.addEventListener('abort', () => resolve([{ ...fine, text: String(signal.reason) }]));
      return await promise;
    };
    await aProcess('listener', 'listener-0', patient);

    const [report] = await askDoctor(cli, question);

    expect(report?.findings?.[0]?.text).toContain('not done within 1 s: give a longer --timeout');
  });

  test('an examination that heeds no signal, or throws, is a finding', async () => {
    await aProcess('listener', 'listener-0', () => new Promise(() => undefined));
    await aProcess('listener', 'listener-1', () => Promise.reject(new Error('out of order')));

    const reports = await askDoctor(cli, question);

    const texts = reports.map(({ findings }) => findings?.map(({ text }) => text).join());
    expect(new Set(texts)).toEqual(
      new Set(['out of order', 'the examination took longer than 2000 ms']),
    );
  });

  test('findings that fill more than one message are cut, the worst first', async () => {
    const many = Array.from({ length: 10_000 }, (_, n): Finding => {
      const outcome = n === 9_999 ? 'failed' : 'ok';
      return { check: 'labels', about: `scale set ${n}`, outcome, text: 'x'.repeat(100) };
    });
    await aProcess('listener', 'listener-0', () => Promise.resolve(many));

    const [{ findings = [] } = {}] = await askDoctor(cli, question);

    expect(findings[0]).toMatchObject({ about: 'scale set 9999', outcome: 'failed' });
    expect(findings.at(-1)?.text).toContain('more than fit into an answer: ask with --scale-set');
  });

  test('only the CLI may ask, and only services hear it', async () => {
    for (const user of ['listener', 'provisioner', 'janitor'] as const) {
      const { connection } = await server.connect(user);
      const asked = connection.request(doctorSubject, '{}');
      await expect(asked).rejects.toMatchObject({ code: 'PERMISSIONS_VIOLATION' });
    }

    await expect(cli.connection.request(doctorSubject, '{}')).rejects.toMatchObject({
      code: '503',
    });
  });
});
