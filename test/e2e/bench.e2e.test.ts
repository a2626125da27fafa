import { expect, test } from 'vitest';
import { z } from 'zod';
import { runProgram } from './run-program.ts';

const figure = z.number().positive();
const range = z.object({ median: figure, min: figure, max: figure });
const books = z.array(z.string()).min(1);
const bareFloor = z.looseObject({
  processStartP50Ms: figure,
  natsRoundTripP50Ms: figure,
  natsP50Ms: figure,
  httpP50Ms: figure,
  messagesPerS: figure,
});

const pipelineSchema = z.object({
  rates: z.tuple([
    z.looseObject({
      jobsPerS: z.literal(20),
      p50Ms: figure,
      p99Ms: figure,
      ranges: z.object({ p50Ms: range, p99Ms: range }),
      ratios: z.object({ p50Ms: figure, p99Ms: figure }),
    }),
  ]),
  burst: z.object({
    jobs: z.literal(50),
    runnersPerS: figure,
    ranges: z.object({ runnersPerS: range }),
  }),
  floor: bareFloor,
  // A short run may use less than the kernel counts.
  cpuMsPerRunner: z.looseObject({
    listener: z.number(),
    provisioner: z.number(),
    nats: z.number(),
  }),
  provisionerRssMb10k: figure,
  ratios: z.object({
    runnersPerS: figure,
    cpuMsPerRunner: z.number(),
    provisionerRssMb10k: figure,
  }),
  books,
});

const janitorSchema = z.object({
  marked200Ms: figure,
  deletionsPerS: z.strictObject({ 20: figure, 40: figure }),
  cpuMsPerDeletion: z.strictObject({ 20: z.number(), 40: z.number() }),
  ranges: z.looseObject({ marked200Ms: range }),
  ratios: z.looseObject({ marked200Ms: figure, 'deletionsPerS 20': figure }),
  floor: bareFloor.extend({ marked200Ms: z.number().min(800), deletionsPerS: figure }),
  books,
});

/** They start all of Baton several times. */
const patient = { timeout: 300_000 };

/** A table and the line of JSON, which is the last of stdout; and that line alone. */
test.each([
  {
    args: ['pipeline', '--rates', '20', '--seconds', '1', '--passes', '1', '--jobs', '50'],
    schema: pipelineSchema,
  },
  {
    args: ['janitor', '--parts', 'marked,deletions', '--marked', '20,40', '--json'],
    schema: janitorSchema,
  },
])(
  'bench $args.0 ends its stdout with figures, floor, ratios and books',
  patient,
  async (bench) => {
    const { args, schema } = bench;

    const { code, stdout, stderr } = await runProgram('bench/main.ts', args);

    expect(code, stderr).toBe(0);
    const lines = stdout.trim().split('\n');
    const report = schema.safeParse(JSON.parse(lines.at(-1) ?? ''));
    expect(report.error?.message, lines.at(-1)).toBeUndefined();
    if (args.includes('--json')) expect(lines).toHaveLength(1);
    else expect(lines.at(-2)).toBe(`books: ${report.data?.books.join('; ') ?? ''}`);
  },
);

test.each(['takeover', 'sessions', 'pipeline', 'scaling', 'janitor', 'telemetry'])(
  'bench %s says what it measures and which options it has',
  async (name) => {
    const { code, stdout } = await runProgram('bench/main.ts', [name, '--help']);

    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: npm run bench -- ${name}`);
    expect(stdout).toContain('--json');
  },
);
