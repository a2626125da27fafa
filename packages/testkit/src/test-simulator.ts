import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SimControl } from '@baton/github-sim';
import { defaultOptions, type SimOptions, startSimulator } from '@baton/github-sim/in-process';
import { systemClock } from '@baton/shared/time';

/** A simulated GitHub within the test's process. */
export interface TestSimulator extends AsyncDisposable {
  /** Where the organization "acme" is. */
  readonly configUrl: string;
  readonly control: SimControl;
  /** Writes a file with one credential, `github`, that it accepts; returns the file's path. */
  writeCredentials(dir: string): Promise<string>;
}

/** Held polls end after 1 s instead of 50 s, unless `options` say otherwise. */
export async function startTestSimulator(
  options: Partial<SimOptions> = {},
): Promise<TestSimulator> {
  const all = { ...defaultOptions, pollHoldMs: 1_000, ...options };
  const place = { host: '127.0.0.1', port: 0, clock: systemClock };
  const sim = await startSimulator({ ...place, options: all });
  return {
    configUrl: `${sim.url}/acme`,
    control: new SimControl(sim.url),
    async writeCredentials(dir) {
      const file = join(dir, 'credentials.yaml');
      const github = { type: 'pat', hosts: [new URL(sim.url).host], token: all.token };
      await writeFile(file, JSON.stringify({ credentials: { github } }), { mode: 0o600 });
      return file;
    },
    [Symbol.asyncDispose]: () => sim.close(),
  };
}
