import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sizeOf } from './store-size.ts';

test('all files of a folder count, at any depth', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'baton-size-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  await mkdir(join(dir, 'stream', 'msgs'), { recursive: true });
  await writeFile(join(dir, 'stream', 'meta'), 'x'.repeat(7));
  await writeFile(join(dir, 'stream', 'msgs', '1.blk'), 'x'.repeat(1_000));

  expect(await sizeOf(dir)).toBe(1_007);
});
