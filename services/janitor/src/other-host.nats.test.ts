import { eventually } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { markedPass } from './deletion/marked-pass.ts';
import { Bench } from './testing/bench.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();

/** A marked runner of the bench's own host, and the janitors of that host and of another. */
async function twoHosts(name: string) {
  const here = await bench.janitor();
  const elsewhere = await bench.janitor(await bench.otherHost(`host-of-${name}`));
  const made = await bench.running(await bench.register(name), 'none');
  const stateAt = new Date(bench.clock.now() - 4_000).toISOString();
  const runner = await bench.rewrite({ ...made, stateAt, hostId: bench.provider.hostId });
  return { here, elsewhere, runner };
}

describe('a marked runner on another host', () => {
  test('is not touched by a command that reaches the wrong janitor', async () => {
    const { elsewhere, runner } = await twoHosts('wrong-janitor');

    const outcome = await bench.delete(elsewhere, runner);

    expect(outcome).toEqual({ kind: 'done' });
    expect(await bench.read(runner)).toEqual(runner);
    expect(await bench.hasInstance(runner)).toBe(true);
    expect(await bench.isRegistered(runner)).toBe(true);
  });

  test('is deleted by the pass of its own host, without a command', async () => {
    const { here, elsewhere, runner } = await twoHosts('own-pass');

    const wrong = await markedPass({ ...elsewhere, signal });
    await elsewhere.queue.idle();
    const untouched = await bench.read(runner);
    await markedPass({ ...here, signal });
    await here.queue.idle();

    expect(wrong).toBe(0);
    expect(untouched).toEqual(runner);
    await eventually(async () => expect(await bench.read(runner)).toBeUndefined());
    expect(await bench.hasInstance(runner)).toBe(false);
    expect(await bench.isRegistered(runner)).toBe(false);
    expect(await bench.commands(runner)).toEqual([]);
    expect(await bench.events(runner)).toEqual(['runner.deleted']);
  });

  test('is deleted once, however many passes find it', async () => {
    const { here, runner } = await twoHosts('many-passes');

    await Promise.all([1, 2, 3].map(() => markedPass({ ...here, signal })));
    await here.queue.idle();

    expect(await bench.read(runner)).toBeUndefined();
    expect(await bench.events(runner)).toEqual(['runner.deleted']);
  });

  test('of which nobody knows the host is deleted by command', async () => {
    const { here, elsewhere, runner } = await twoHosts('no-host');
    const { hostId: _hostId, ...old } = runner;
    await bench.rewrite(old);

    await markedPass({ ...elsewhere, signal });
    await bench.delete(here, old);

    expect(await bench.commands(old)).toEqual([old.runnerId]);
    expect(await bench.read(old)).toBeUndefined();
    expect(await bench.hasInstance(old)).toBe(false);
  });
});
