import { open } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { sampleProcess } from './process-sample.ts';

test('a process is seen with its memory, its threads, and each file that it opens', async () => {
  const before = await sampleProcess(process.pid);
  const files = await Promise.all(Array.from({ length: 50 }, () => open('/dev/null')));
  const after = await sampleProcess(process.pid);
  await Promise.all(files.map((file) => file.close()));

  expect(before.rssMb).toBeGreaterThan(20);
  expect(before.threads).toBeGreaterThan(1);
  expect(after.handles - before.handles).toBeGreaterThanOrEqual(40);
});

test('a process that is not there is told', async () => {
  await expect(sampleProcess(2 ** 30)).rejects.toThrow('ENOENT');
});
