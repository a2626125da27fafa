import { buckets } from '@baton/shared/contracts';
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
const deletion = { attempts: 3, deregistered: false, instanceDeleted: true };

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
    const put = { ...deletion, retryAt };
    const owed = await bench.record(set, { runnerId: 'owed1', state: 'deleting', deletion: put });
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

  test('is not stopped by a scale set whose spec cannot be understood', async () => {
    const poisoned = await bench.register('poisoned');
    const owed = await bench.record(poisoned, { runnerId: 'owed2', githubRunnerId: 7, deletion });
    const set = await bench.register('beside-poisoned');
    const lost = await bench.record(set, { runnerId: 'lost2' });
    const admin = await bench.nats.connect('admin');
    const subject = `$KV.${buckets.specs}.${poisoned.spec.scaleSetId}`;
    await admin.connection.jetstream().publish(subject, '{"v":1}');
    const janitor = await bench.janitor();

    await bench.clock.advance(60_000);
    await markedPass({ ...janitor, signal });
    await bench.delete(janitor, owed);

    expect(await bench.commands(lost)).toEqual(['lost2']);
    expect((await bench.read(owed))?.deletion?.lastError).toContain('cannot be understood');
  });
});
