import { expect, test } from 'vitest';
import { z } from 'zod';
import { runProgram } from './run-program.ts';

const zero = z.literal(0);
const resultSchema = z.object({
  jobs: z.literal(24),
  completed: z.literal(24),
  lostJobs: zero,
  duplicateRunners: zero,
  leftoverRunners: zero,
  leftoverRegistrations: zero,
  leftoverInstances: zero,
  sessionGapMs: z.number().max(12_000),
  kills: z.tuple([z.looseObject({ service: z.string(), pid: z.int(), completedBefore: z.int() })]),
  wallMs: z.number(),
});

/** The books of the simulator and the provider are the judge, not Baton's records. */
test.each(['listener', 'provisioner', 'janitor', 'nats'])(
  'no job is lost and no runner made twice when the %s is killed',
  async (target) => {
    const args = ['--jobs', '24', '--scale-sets', '2', '--kill', target, '--seed', '7', '--exit'];

    const { code, stdout, stderr } = await runProgram('packages/stack/src/main.ts', args);

    const lastLine: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    const result = resultSchema.safeParse(lastLine);
    expect(result.error?.message, JSON.stringify(lastLine)).toBeUndefined();
    expect(result.data?.kills[0].service).toBe(target);
    expect(code, stderr).toBe(0);
  },
);
