import { Secret } from '@baton/shared/config';
import { buckets, type Runner, runnerKey } from '@baton/shared/contracts';
import { SealingKeys } from '@baton/shared/sealing';
import { eventually, FakeClock } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  aStartingRunner,
  filesOf,
  get,
  jitWord,
  post,
  scaleSetId,
} from '../testing/booting-instance.ts';
import { aSealingKey, ExternalBench } from '../testing/external-bench.ts';
import { JitVault } from './jit-vault.ts';
import { sweepJit } from './sweep-jit.ts';

let bench: ExternalBench;
beforeAll(async () => {
  bench = await ExternalBench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

describe('a token', () => {
  test.each<[string, Partial<Runner>]>([
    ['requested', { state: 'requested' }],
    ['online', { state: 'idle' }],
    ['busy', { state: 'busy' }],
    ['completed', { state: 'completed' }],
    ['failed', { state: 'failed' }],
    [
      'marked',
      {
        state: 'marked',
        mark: { reason: 'surplus', gate: 'github', by: 'test', at: '2026-01-01T00:00:00.000Z' },
      },
    ],
    ['ended', { state: 'starting', exit: { at: '2026-01-01T00:00:00.000Z' } }],
  ])('is refused when the runner is %s', async (_what, part) => {
    const { access } = await aStartingRunner(bench, await bench.bootstrap(), part);

    const answers = [
      await get(access, 'credentials/runner'),
      await post(access, 'status', '{"status":"failed"}'),
    ];

    expect(answers).toMatchObject([{ status: 401 }, { status: 401 }]);
  });

  test('is refused when the runner is gone', async () => {
    const { access, runnerId } = await aStartingRunner(bench, await bench.bootstrap());
    const entry = await bench.stores.runners.get(runnerKey(scaleSetId, runnerId));
    await bench.stores.runners.delete(entry?.key ?? '', entry?.revision ?? 0);

    expect(await get(access, 'credentials/runner')).toMatchObject({ status: 401 });
  });

  test('is good until the bootstrap timeout and not a moment longer', async () => {
    const clock = new FakeClock();
    const { access } = await aStartingRunner(bench, await bench.bootstrap({ clock }));

    await clock.advance(1_199_000);
    const before = await get(access, 'credentials/runner');
    await clock.advance(1_001);
    const after = await get(access, 'credentials/runner');

    expect([before.status, after.status]).toEqual([200, 401]);
  });

  test('is good for one runner only', async () => {
    const bootstrap = await bench.bootstrap();
    const one = await aStartingRunner(bench, bootstrap);
    const other = await aStartingRunner(bench, bootstrap);

    const [first, second] = [
      await get(one.access, 'runner-metadata'),
      await get(other.access, 'runner-metadata'),
    ];

    expect(first.text).toContain(one.runnerName);
    expect(first.text).not.toContain(other.runnerName);
    expect(second.text).toContain(other.runnerName);
  });

  test('is refused when it is missing, changed, unsigned, or of another installation', async () => {
    const bootstrap = await bench.bootstrap();
    const { access } = await aStartingRunner(bench, bootstrap);
    const theirs = await aStartingRunner(bench, await bench.bootstrap({ installationId: 'other' }));
    const [head, claims, signature = ''] = access.token.reveal().split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    const forged = [
      '',
      'x',
      `${head}.${claims}.${flipped}`,
      `${none}.${claims}.`,
      theirs.access.token.reveal(),
    ];

    for (const text of forged) {
      const answer = await get({ ...access, token: new Secret(text) }, 'credentials/runner');
      expect(answer, text).toMatchObject({ status: 401 });
    }
  });

  test('outlives a change of the key that issued it, until that key is taken away', async () => {
    const [old, fresh] = [aSealingKey('old'), aSealingKey('new')];
    const { access } = await aStartingRunner(bench, await bench.bootstrap({ keys: old }));
    const rotated = await aStartingRunner(
      bench,
      await bench.bootstrap({ keys: `${fresh}\n${old}` }),
    );
    const later = await aStartingRunner(bench, await bench.bootstrap({ keys: fresh }));
    const { token } = access;

    const answers = [
      await get({ ...rotated.access, token }, 'credentials/credentials'),
      await get({ ...later.access, token }, 'credentials/credentials'),
      await get({ ...later.access, token: rotated.access.token }, 'credentials/credentials'),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 401, 200]);
  });
});

describe('what is kept for instances', () => {
  test('lies in NATS sealed: no byte of it can be read in the files of the stream', async () => {
    const { access, runnerId } = await aStartingRunner(bench, await bench.bootstrap());

    const raw = await eventually(async () => {
      const bytes = await filesOf(bench, `KV_${buckets.jit}`);
      expect(bytes).toContain(runnerKey(scaleSetId, runnerId));
      return bytes;
    });

    const boxes = [...raw.matchAll(/"box":"([A-Za-z0-9+/=]+)"/g)].map(([, box = '']) => box);
    expect(boxes.length).toBeGreaterThan(0);
    const opened = boxes.map((box) => Buffer.from(box, 'base64').toString('latin1')).join();
    for (const secret of [jitWord, 'agentId', 'modulus', access.token.reveal()]) {
      expect(raw).not.toContain(secret);
      expect(raw).not.toContain(Buffer.from(secret).toString('base64').slice(0, 8));
      expect(opened).not.toContain(secret);
    }
  });

  test('opens for its own runner only', async () => {
    const bootstrap = await bench.bootstrap();
    const [one, other] = [
      await aStartingRunner(bench, bootstrap),
      await aStartingRunner(bench, bootstrap),
    ];
    const moved = await bench.stores.jit.get(runnerKey(scaleSetId, one.runnerId));
    if (!moved) throw new Error('nothing was kept');
    await bench.stores.jit.put(runnerKey(scaleSetId, other.runnerId), moved.value);

    expect(await get(other.access, 'credentials/credentials')).toMatchObject({ status: 503 });
  });

  test('is removed once its runner is registered, and stays while it starts', async () => {
    const bootstrap = await bench.bootstrap();
    const starting = await aStartingRunner(bench, bootstrap);
    const online = await aStartingRunner(bench, bootstrap, { state: 'idle' });
    const { jit: store, runners } = bench.stores;
    const keys = SealingKeys.parse(aSealingKey('any'));
    const vault = new JitVault({ store, keys, clock: new FakeClock() });

    await sweepJit({ vault, runners });

    const kept = await Promise.all(
      [starting, online].map(({ runnerId }) => store.get(runnerKey(scaleSetId, runnerId))),
    );
    expect(kept.map((entry) => entry !== undefined)).toEqual([true, false]);
  });
});
