import { exitCodes } from '@baton/shared/lifecycle';
import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { type Io, positive } from '../run-program.ts';
import { renderTable } from '../table.ts';
import { type ChaosOptions, type ChaosReport, runChaos } from './chaos.ts';
import type { Span } from './cut.ts';
import { type Target, targets } from './schedule.ts';

const optionsSchema = z.object({
  seed: z.number(),
  minutes: z.number(),
  targets: z.array(z.enum(targets)),
  githubOutages: z.boolean().default(false),
  providerLies: z.boolean().default(false),
  traces: z.boolean().default(false),
  only: z.object({ fromMs: z.number(), toMs: z.number() }).optional(),
  scaleSets: z.number(),
  jobsPerMinute: z.number(),
  settleMinutes: z.number().optional(),
  keepLogs: z.boolean().default(false),
  json: z.boolean().default(false),
});

/** `npm run chaos`. The exit code is 0 only if every promise was kept. */
export function chaosProgram(io: Io): Command {
  return new Command('npm run chaos --')
    .description(
      'Runs jobs while processes are killed, frozen and told to end and while GitHub fails, lets the\n' +
        "system come to rest, and judges it by the simulator's and the provider's books alone.\n" +
        'Progress goes to stderr; the last line of stdout is the verdict, as JSON.',
    )
    .option('--seed <number>', 'decides what happens, and when', positive, 1)
    .option('--minutes <number>', 'how long things go wrong', minutes, 5)
    .addOption(
      new Option('--targets <names>', `whom to strike: all, or of ${targets.join(', ')}`)
        .argParser(targetList)
        .default([...targets], 'all'),
    )
    .option('--github-outages', 'GitHub goes away too, whole or in parts, for up to three minutes')
    .option(
      '--provider-lies',
      'the provider of provisioners and janitors fails, hangs and lies about what it has and did',
    )
    .option('--traces', 'services send traces to a collector that hangs, fails and resets')
    .option(
      '--only <from-to>',
      'only what begins in these seconds, to find out what is to blame',
      span,
    )
    .option('--scale-sets <number>', 'how many scale sets have jobs', positive, 6)
    .option('--jobs-per-minute <number>', 'on average, over all of them', positive, 120)
    .option(
      '--settle-minutes <number>',
      'how long it may take to come to rest; default: 5, with lies 20',
      minutes,
    )
    .option('--keep-logs', 'keep the logs and the evidence also when all is well')
    .option('--json', 'no table, only the line of JSON')
    .action(async (given: unknown) => {
      const { json, ...options } = optionsSchema.parse(given);
      const report = await runChaos(io, options);
      const command = commandOf(options);
      if (!json) io.stdout.write(`${chaosTable(report, command)}\n`);
      io.stdout.write(`${JSON.stringify(report)}\n`);
      if (report.promisesBroken.length === 0) return;
      if (json) io.say(verdictOf(report, command));
      process.exitCode = exitCodes.failed;
    });
}

/** How to run it again. */
export function commandOf(options: ChaosOptions): string {
  const { seed, minutes: length, targets: struck, scaleSets, jobsPerMinute, only } = options;
  return [
    `npm run chaos -- --seed ${seed} --minutes ${length}`,
    `--targets ${targets.every((target) => struck.includes(target)) ? 'all' : struck.join(',')}`,
    ...(options.githubOutages ? ['--github-outages'] : []),
    ...(options.providerLies ? ['--provider-lies'] : []),
    ...(options.traces ? ['--traces'] : []),
    ...(only ? [`--only ${only.fromMs / 1_000}-${only.toMs / 1_000}`] : []),
    `--scale-sets ${scaleSets} --jobs-per-minute ${jobsPerMinute}`,
  ].join(' ');
}

/** The figures, what was broken, and the verdict last. */
export function chaosTable(report: ChaosReport, command: string): string {
  const { promisesBroken, books, ...figures } = report;
  const rows = Object.entries(figures).map(([name, value]) => [name, String(value)]);
  const broken = promisesBroken.map((text) => `BROKEN: ${text}`);
  const judges = `books: ${books.join('; ')}`;
  return [renderTable(rows), judges, ...broken, verdictOf(report, command)].join('\n');
}

function verdictOf({ promisesBroken: { length }, logs }: ChaosReport, command: string): string {
  if (length === 0) return 'verdict: every promise kept';
  const count = length === 1 ? '1 promise' : `${length} promises`;
  return `verdict: ${count} broken; logs: ${logs ?? '-'}; to repeat it: ${command}`;
}

function minutes(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 24 * 60)) {
    throw new InvalidArgumentError('Not a number of minutes above 0, a day at most.');
  }
  return value;
}

/** Reads `--only`, as `35-60.5`. */
function span(text: string): Span {
  const [, from, to] = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  const [fromMs, toMs] = [Number(from) * 1_000, Number(to) * 1_000];
  if (fromMs < toMs) return { fromMs, toMs };
  throw new InvalidArgumentError('Two numbers of seconds, such as 35-60.');
}

/** Reads `--targets`. */
export function targetList(text: string): Target[] {
  if (text === 'all') return [...targets];
  const parsed = z.array(z.enum(targets)).min(1).safeParse(text.split(','));
  if (!parsed.success) {
    throw new InvalidArgumentError(`Neither "all" nor a list of: ${targets.join(', ')}.`);
  }
  return parsed.data;
}
