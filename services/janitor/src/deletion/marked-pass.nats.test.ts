import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bench } from '../testing/bench.ts';
import { markedPass } from './marked-pass.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();

describe('markedPass', () => {
  test('asks for the deletion of marked runners whose command was lost, once for all janitors', async () => {
    const set = await bench.register('lost-commands');
    const stateAt = new Date(bench.clock.now()).toISOString();
    const lost = await bench.record(set, { runnerId: 'lost1', stateAt });
    const { mark: _mark, ...unmarked } = await bench.record(set, { runnerId: 'busy1' });
    await bench.runners.put(`${set.spec.scaleSetId}.busy1`, { ...unmarked, state: 'busy' });
    const janitors = [await bench.janitor(), await bench.janitor()];

    await bench.clock.advance(3_000);
    const early = await Promise.all(janitors.map((one) => markedPass({ ...one, signal })));
    const storedEarly = await bench.commands(lost);
    await bench.clock.advance(1);
    const found = await Promise.all(janitors.map((one) => markedPass({ ...one, signal })));

    expect(early).toEqual([0, 0]);
    expect(storedEarly).toEqual([]);
    expect(found).toEqual([1, 1]);
    expect(await bench.commands(lost)).toEqual(['lost1']);
    expect(await bench.commands(unmarked)).toEqual([]);
  });

  test('asks again for a deletion whose next try has come', async () => {
    const set = await bench.register('next-try');
    const retryAt = new Date(bench.clock.now() + 60_000).toISOString();
    const deletion = { attempts: 3, deregistered: false, instanceDeleted: true, retryAt };
    const owed = await bench.record(set, { runnerId: 'owed1', state: 'deleting', deletion });
    const janitor = await bench.janitor();

    await bench.clock.advance(59_999);
    await markedPass({ ...janitor, signal });
    const early = await bench.commands(owed);
    await bench.clock.advance(1);
    await markedPass({ ...janitor, signal });
    await bench.clock.advance(3_000);
    await markedPass({ ...janitor, signal });

    expect(early).toEqual([]);
    expect(await bench.commands(owed)).toEqual(['owed1', 'owed1']);
  });
});
