import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const places = ['package.json', 'scripts/launch.mjs', 'packages/stack/src/service-process.ts'];

test.each(places)('%s starts services with the options of ADR 5', async (place) => {
  const text = await readFile(new URL(`../../${place}`, import.meta.url), 'utf8');

  expect(text).toContain('--max-semi-space-size=8');
  expect(text).toContain('--heap-growing-percent=30');
  expect(text).toContain('--max-semi-space-size=16');
  expect(text).toContain('--heap-growing-percent=60');
});
