import { exitCodes } from '@baton/shared/lifecycle';
import { Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { type Io, positive } from '../run-program.ts';
import { runSoak } from './soak.ts';
import { soakTable, verdictOf } from './table.ts';

const optionsSchema = z.object({
  minutes: z.number(),
  jobsPerSecond: z.number(),
  scaleSets: z.number(),
  keepLogs: z.boolean().default(false),
  json: z.boolean().default(false),
});

/** `npm run soak`. The exit code is 0 only if nothing grew, every job was done and nothing is left. */
export function soakProgram(io: Io): Command {
  return new Command('npm run soak --')
    .description(
      'Gives Baton jobs at an even pace for long, and asks what grows that should not:\n' +
        'memory, handles, lag, keys, files. Then it lets the system come to rest, and\n' +
        'asks what is left.\n' +
        'Progress goes to stderr; the last line of stdout is the verdict, as JSON.',
    )
    .option(
      '--minutes <number>',
      'how long there are jobs; the first fifth counts nothing',
      minutes,
      60,
    )
    .option('--jobs-per-second <number>', 'over all scale sets', positive, 3)
    .option('--scale-sets <number>', 'how many scale sets have jobs', positive, 10)
    .option('--keep-logs', 'keep the logs also when all is well')
    .option('--json', 'no table, only the line of JSON')
    .action(async (given: unknown) => {
      const { json, jobsPerSecond, ...options } = optionsSchema.parse(given);
      const report = await runSoak(io, { ...options, jobsPerS: jobsPerSecond });
      if (!json) io.stdout.write(`${soakTable(report)}\n`);
      io.stdout.write(`${JSON.stringify(report)}\n`);
      if (report.grew.length + report.left.length === 0) return;
      if (json) io.say(verdictOf(report));
      process.exitCode = exitCodes.failed;
    });
}

/** Of less nothing is left after the warm-up. */
function minutes(text: string): number {
  const value = Number(text);
  if (!(value >= 5 && value <= 7 * 24 * 60)) {
    throw new InvalidArgumentError('Not a number of minutes from 5 on, a week at most.');
  }
  return value;
}
