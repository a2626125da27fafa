import { readFileSync } from 'node:fs';
import { z } from 'zod';

let known: string | undefined;

/** The version of Baton that this process runs; all packages have the same. */
export function buildVersion(): string {
  known ??= readVersion();
  return known;
}

function readVersion(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(file)).version;
}
