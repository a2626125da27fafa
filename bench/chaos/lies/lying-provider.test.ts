import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ComputeProvider, createProvider, providerDefinitionSchema } from '@baton/providers';
import { Secret } from '@baton/shared/config';
import { systemClock } from '@baton/shared/time';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LieKind } from './lie.ts';
import { LieBook } from './lie-book.ts';
import { lyingProvider } from './lying-provider.ts';

let folder: string;
let real: ComputeProvider;
let book: LieBook;
let provider: ComputeProvider;
const { signal } = new AbortController();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-lies-'));
  const definition = providerDefinitionSchema.parse({
    type: 'process',
    directory: join(folder, 'instances'),
    command: ['/bin/sleep', '60'],
    stopTimeoutMs: 0,
  });
  const given = { installationId: 'lies', clock: systemClock, env: process.env };
  real = await createProvider(definition, { ...given, scaleSets: () => Promise.resolve([]) });
  book = new LieBook(folder);
  provider = lyingProvider({ inner: real, book, by: 'janitor-0', clock: systemClock });
});
afterEach(async () => {
  for (const { instanceId } of await real.list(signal)) await real.delete(instanceId, signal);
  await rm(folder, { recursive: true, force: true });
});

async function lieThat(what: LieKind, part: { whom?: string[]; forMs?: number } = {}) {
  const fromMs = systemClock.now();
  const { whom = ['janitor-0'], forMs = 60_000 } = part;
  const told = { id: 7, what, whom, share: 1, salt: 1, agoMs: 0, fromMs };
  await book.write([{ ...told, untilMs: fromMs + forMs }]);
}

async function create(runnerId = 'one'): Promise<void> {
  const runner = { runnerId, runnerName: `web-${runnerId}`, scaleSetId: 'web', generation: 'g' };
  const jitConfig = new Secret('none');
  await provider.create({ ...runner, installationId: 'lies', jitConfig, settings: null }, signal);
}

async function ids(of: ComputeProvider): Promise<string[]> {
  return (await of.list(signal)).map(({ runnerId }) => runnerId);
}

test('what is said is true without a lie, to others, and when the lie is over', async () => {
  await create();

  expect(await ids(provider)).toEqual(['one']);
  await lieThat('list empty', { whom: ['provisioner-1'] });
  expect(await ids(provider)).toEqual(['one']);
  await lieThat('list empty', { forMs: 0 });
  expect(await ids(provider)).toEqual(['one']);
  expect(provider.hostId).toBe(real.hostId);
});

test('a runner that is left out is written down, once, and lives', async () => {
  await create();
  await lieThat('list empty');

  expect([await ids(provider), await ids(provider)]).toEqual([[], []]);

  expect(await ids(real)).toEqual(['one']);
  expect(await book.told()).toMatchObject([{ lie: 7, by: 'janitor-0', runnerName: 'web-one' }]);
});

describe('a create', () => {
  test('that is said to fail has made the instance, and is written down before', async () => {
    await lieThat('create quota though made');

    await expect(create()).rejects.toMatchObject({ class: 'quota' });

    expect(await ids(real)).toEqual(['one']);
    expect(await book.told()).toMatchObject([{ lie: 7, runnerId: 'one' }]);
  });

  test('that fails has made nothing', async () => {
    await lieThat('create quota');

    await expect(create()).rejects.toMatchObject({ class: 'quota' });

    expect(await ids(real)).toEqual([]);
    expect(await book.told()).toEqual([]);
  });
});

describe('a delete', () => {
  test('that fails has deleted nothing', async () => {
    await create();
    await lieThat('delete denied');

    await expect(provider.delete('one', signal)).rejects.toMatchObject({ class: 'denied' });

    expect(await ids(real)).toEqual(['one']);
  });

  test('that is said to fail is done', async () => {
    await create();
    await lieThat('delete transient though done');

    await expect(provider.delete('one', signal)).rejects.toMatchObject({ class: 'transient' });

    expect(await ids(real)).toEqual([]);
  });

  test('after which the instance lingers in the list, in that of every process', async () => {
    const other = lyingProvider({ inner: real, book, by: 'provisioner-1', clock: systemClock });
    await create();
    await lieThat('delete lingers');

    await provider.delete('one', signal);

    expect([await ids(provider), await ids(other), await ids(real)]).toEqual([
      ['one'],
      ['one'],
      [],
    ]);
  });
});

test('a call that hangs ends with its signal', async () => {
  const stop = new AbortController();
  await lieThat('list hangs');

  const listing = provider.list(stop.signal);
  stop.abort(new Error('no more patience'));

  await expect(listing).rejects.toThrow('no more patience');
});

test('there is no room, or more than there is', async () => {
  await lieThat('capacity none');
  expect(await provider.capacity(signal)).toEqual({ free: 0 });
  await lieThat('capacity huge');
  expect(await provider.capacity(signal)).toEqual({ free: 1_000 });
});
