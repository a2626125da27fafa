import { FakeClock, startTestNats, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { livenessSubject } from '../contracts/index.ts';
import { answerProbes, LivenessProber } from './liveness.ts';

let server: TestNats;
beforeAll(async () => {
  server = await startTestNats({ withTopology: false });
});
afterAll(() => server[Symbol.asyncDispose]());

let incarnations = 0;
function aHolder() {
  incarnations += 1;
  return { v: 1 as const, identity: 'listener-0', incarnation: `i${incarnations}` };
}

/** A prober whose time stands still. */
async function aProber() {
  const clock = new FakeClock();
  return { clock, prober: new LivenessProber(await server.connect('listener', { clock })) };
}

describe('LivenessProber', () => {
  test('one that answers is alive', async () => {
    const { prober } = await aProber();
    const holder = aHolder();
    const nats = await server.connect('listener');
    answerProbes(nats, holder);
    await nats.connection.flush();

    expect(await prober.check(holder)).toBe('alive');
  });

  test('one that nobody has heard of is suspect, and dead by the second silence', async () => {
    const { clock, prober } = await aProber();
    const holder = aHolder();

    const first = await prober.check(holder);
    await clock.advance(500);
    const second = await prober.check(holder);

    expect([first, second]).toEqual(['suspect', 'dead']);
  });

  test('two silences that are less than 500 ms apart prove nothing', async () => {
    const { clock, prober } = await aProber();
    const holder = aHolder();

    await prober.check(holder);
    await clock.advance(499);
    const second = await prober.check(holder);
    await clock.advance(250);
    const third = await prober.check(holder);

    expect([second, third]).toEqual(['suspect', 'dead']);
  });

  test('silences that nobody asked between do not add up', async () => {
    const { clock, prober } = await aProber();
    const holder = aHolder();

    await prober.check(holder);
    await clock.advance(600_000);
    const muchLater = await prober.check(holder);
    await clock.advance(500);
    const next = await prober.check(holder);

    expect([muchLater, next]).toEqual(['suspect', 'dead']);
  });

  test('a verdict is shared for 250 ms, then probed again', async () => {
    const { clock, prober } = await aProber();
    const holder = aHolder();
    const nats = await server.connect('listener');
    await prober.check(holder);
    answerProbes(nats, holder);
    await nats.connection.flush();

    await clock.advance(249);
    const shared = await prober.check(holder);
    await clock.advance(1);
    const fresh = await prober.check(holder);

    expect([shared, fresh]).toEqual(['suspect', 'alive']);
  });

  test('an answer in between ends the suspicion', async () => {
    const { clock, prober } = await aProber();
    const holder = aHolder();
    const nats = await server.connect('listener');
    await prober.check(holder);
    await clock.advance(400);
    answerProbes(nats, holder);
    await nats.connection.flush();
    await prober.check(holder);
    await nats.connection.drain();

    await clock.advance(400);
    const silentAgain = await prober.check(holder);

    expect(silentAgain).toBe('suspect');
  });

  test('one that listens and does not answer is unknown, however long', async () => {
    const { clock, prober } = await aProber();
    const holder = aHolder();
    const { connection } = await server.connect('listener');
    connection.subscribe(livenessSubject(holder.identity, holder.incarnation));
    await connection.flush();

    const first = await prober.check(holder);
    await clock.advance(10_000);
    const second = await prober.check(holder);

    expect([first, second]).toEqual(['unknown', 'unknown']);
  });

  test('another incarnation of the same identity does not answer for it', async () => {
    const { prober } = await aProber();
    const [earlier, later] = [aHolder(), aHolder()];
    const nats = await server.connect('listener');
    answerProbes(nats, later);
    await nats.connection.flush();

    expect(await prober.check(earlier)).toBe('suspect');
    expect(await prober.check(later)).toBe('alive');
  });

  test('trusts silence only when its own connection has been up for long enough', async () => {
    const { clock, prober } = await aProber();

    const atOnce = prober.trustsSilence;
    await clock.advance(5_400);

    expect(atOnce).toBe(false);
    expect(prober.trustsSilence).toBe(true);
  });
});
