import { expect, test } from 'vitest';
import { z } from 'zod';
import { runProgram } from './run-program.ts';

const zero = z.literal(0);
const resultSchema = z.object({
  completed: z.int(),
  lostJobs: zero,
  leftoverRunners: zero,
  leftoverRegistrations: zero,
  leftoverInstances: zero,
  kills: z.array(z.looseObject({ service: z.string() })),
});

/**
 * Machines that fetch their credentials over HTTP, behind an executable that insists on the protocol. The
 * books of the simulator and of the executable are the judge.
 */
test.each([
  { what: 'all is well', jobs: 8, more: [] },
  { what: 'a provisioner is killed', jobs: 24, more: ['--kill', 'provisioner'] },
])(
  'an external provider runs all jobs and leaves nothing when $what',
  async ({ jobs, more }) => {
    const args = [
      '--provider',
      'external',
      '--jobs',
      String(jobs),
      '--seed',
      '7',
      '--exit',
      ...more,
    ];

    const { code, stdout, stderr } = await runProgram('packages/stack/src/main.ts', args);

    const lastLine: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    const result = resultSchema.safeParse(lastLine);
    expect(result.error?.message, JSON.stringify(lastLine)).toBeUndefined();
    expect(result.data?.completed).toBe(jobs);
    expect(result.data?.kills).toHaveLength(more.length / 2);
    expect(code, stderr).toBe(0);
  },
  300_000,
);
