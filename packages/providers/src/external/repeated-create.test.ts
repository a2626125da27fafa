import { afterAll, beforeAll, expect, test } from 'vitest';
import { aNamedRequest, MisbehavingBench } from './testing/external-bench.ts';

const { signal } = new AbortController();
const name = 'linux-conformance-abc23';
const made = JSON.stringify({ provider_id: 'i-1', name, status: 'running' });
/** Processes start slowly while the machine is busy. */
const timeout = 30_000;

let bench: MisbehavingBench;
beforeAll(async () => {
  bench = await MisbehavingBench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

test.each([
  ['makes it when the list has none', { stdout: '[]' }, 'made'],
  ['takes up the one that the list has', { stdout: `[${made}]` }, 'found'],
  ['makes nothing while there is no list', { exitCode: 1, stderr: 'no route' }, 'no route'],
])(
  'a create that cannot look for its instance %s',
  { timeout },
  async (_what, ListInstances, outcome) => {
    const GetInstance = { exitCode: 1, stderr: 'something' };
    await bench.behave({ GetInstance, ListInstances, CreateInstance: { stdout: made } });
    const provider = await bench.provider();
    const before = bench.issued.length;

    const result = await provider.create(aNamedRequest(), signal).catch(String);

    if (outcome === 'no route') expect(result).toContain(outcome);
    else expect(result).toEqual({ instanceId: `set-1/${name}/i-1` });
    expect(bench.issued.length - before).toBe(outcome === 'made' ? 1 : 0);
  },
);

test('a create that waits for another one of its runner ends when its caller gives up', {
  timeout,
}, async () => {
  await bench.behave({ GetInstance: { act: 'hang' } });
  const provider = await bench.provider();
  const [first, second] = [new AbortController(), new AbortController()];
  const hanging = provider.create(aNamedRequest(), first.signal);
  hanging.catch(() => undefined);

  const waiting = provider.create(aNamedRequest(), second.signal);
  second.abort(new Error('gave up'));

  await expect(waiting).rejects.toThrow('gave up');
  first.abort(new Error('enough'));
  await expect(hanging).rejects.toThrow('enough');
});
