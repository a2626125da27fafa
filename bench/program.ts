import { Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { benchJanitor, type JanitorPart, janitorParts } from './janitor/janitor.ts';
import { janitorTable } from './janitor/table.ts';
import { benchPipeline } from './pipeline/pipeline.ts';
import { pipelineTable } from './pipeline/table.ts';
import { type Io, positive } from './run-program.ts';
import { benchScaling } from './scaling/scaling.ts';
import { scalingTable } from './scaling/table.ts';
import { benchSessions } from './sessions/sessions.ts';
import { sessionsTable } from './sessions/table.ts';
import { takeoverTable } from './takeover/table.ts';
import { benchTakeover } from './takeover/takeover.ts';
import { telemetryTable } from './telemetry/table.ts';
import { benchTelemetry } from './telemetry/telemetry.ts';

const names = ['takeover', 'sessions', 'pipeline', 'scaling', 'janitor', 'telemetry'] as const;
const choices = `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;

/** `npm run bench`. Nothing is left afterwards. */
export function benchProgram(io: Io): Command {
  const program = new Command('npm run bench --')
    .argument('[name]', `which benchmark: ${choices}`)
    .usage('<name> [options]')
    .action((name?: string) => {
      const what = name === undefined ? 'no benchmark is named' : `there is no benchmark "${name}"`;
      program.error(`error: ${what}: name ${choices}`);
    })
    .description(
      'Measures Baton on this machine, against its own simulator of GitHub, and in the same run what a\n' +
        'bare program needs (the floor), with the ratio to it. Progress goes to stderr; the last line of\n' +
        'stdout is the report, as JSON.',
    )
    .addCommand(takeoverCommand(io))
    .addCommand(sessionsCommand(io))
    .addCommand(pipelineCommand(io))
    .addCommand(scalingCommand(io))
    .addCommand(janitorCommand(io))
    .addCommand(telemetryCommand(io));
  return program;
}

const jsonOption = ['--json', 'no table, only the line of JSON'] as const;

const takeoverSchema = z.object({
  sets: z.number(),
  kills: z.number(),
  json: z.boolean().default(false),
});

function takeoverCommand(io: Io): Command {
  return new Command('takeover')
    .description(
      'how long scale sets are not polled when their listener is killed, stopped, told to end',
    )
    .option('--sets <number>', 'scale sets; each is one sample', positive, 20)
    .option('--kills <number>', 'restarts of the same identity', positive, 5)
    .option(...jsonOption)
    .action(async (given: unknown) => {
      const { json, ...options } = takeoverSchema.parse(given);
      const report = await benchTakeover(io, options);
      finish(io, report, json ? undefined : takeoverTable(report));
    });
}

const sessionsSchema = z.object({
  sets: z.array(z.int().min(1)),
  seconds: z.number(),
  profile: z.string().optional(),
  json: z.boolean().default(false),
});

function sessionsCommand(io: Io): Command {
  return new Command('sessions')
    .description('what idle scale sets cost one listener: memory, CPU, start, and the lag of polls')
    .option('--sets <numbers>', 'how many sets, one measurement each', numbers, [100, 1_000, 3_000])
    .option('--seconds <number>', 'how long each is observed: three holds of a poll', positive, 150)
    .option(
      '--profile <folder>',
      'write CPU profiles of the listener; the figures then count little',
    )
    .option(...jsonOption)
    .action(async (given: unknown) => {
      const { json, profile, ...options } = sessionsSchema.parse(given);
      const report = await benchSessions(io, { ...options, profileDir: profile });
      finish(io, report, json ? undefined : sessionsTable(report));
    });
}

const pipelineSchema = z.object({
  rates: z.array(z.int().min(1)),
  seconds: z.number(),
  passes: z.number(),
  jobs: z.number(),
  profile: z.string().optional(),
  json: z.boolean().default(false),
});

function pipelineCommand(io: Io): Command {
  return new Command('pipeline')
    .description('how fast a job gets its runner, and how many a second, with instant compute')
    .option('--rates <numbers>', 'jobs a second, one measurement each', numbers, [10, 50, 200])
    .option('--seconds <number>', 'how long each rate lasts in a pass', positive, 15)
    .option('--passes <number>', 'how often all rates are measured, there and back', positive, 3)
    .option('--jobs <number>', 'jobs of a burst; three follow each other', positive, 5_000)
    .option(
      '--profile <folder>',
      'write CPU profiles of the provisioners; the figures then count little',
    )
    .option(...jsonOption)
    .action(async (given: unknown) => {
      const { json, profile, ...options } = pipelineSchema.parse(given);
      const report = await benchPipeline(io, { ...options, profileDir: profile });
      finish(io, report, json ? undefined : pipelineTable(report));
    });
}

const scalingSchema = z.object({
  live: z.array(z.int().min(1)),
  provisioners: z.array(z.int().min(1)),
  json: z.boolean().default(false),
});

function scalingCommand(io: Io): Command {
  return new Command('scaling')
    .description('what a runner costs when many live, and what more provisioners are good for')
    .option(
      '--live <numbers>',
      'live runners, one measurement each',
      numbers,
      [1_000, 5_000, 10_000],
    )
    .option('--provisioners <numbers>', 'provisioners, one measurement each', numbers, [1, 2, 4])
    .option(...jsonOption)
    .action(async (given: unknown) => {
      const { json, ...options } = scalingSchema.parse(given);
      const report = await benchScaling(io, options);
      finish(io, report, json ? undefined : scalingTable(report));
    });
}

const janitorSchema = z.object({
  parts: z.array(z.enum(janitorParts)),
  marked: z.array(z.int().min(1)),
  profile: z.string().optional(),
  json: z.boolean().default(false),
});

function janitorCommand(io: Io): Command {
  return new Command('janitor')
    .description('how fast what is marked is gone, and what a deletion costs')
    .option('--parts <names>', `of ${janitorParts.join(', ')}`, parts, [...janitorParts])
    .option(
      '--marked <numbers>',
      'runners marked at once, one measurement each',
      numbers,
      [1_000, 10_000],
    )
    .option(
      '--profile <folder>',
      'write CPU profiles of the janitor; the figures then count little',
    )
    .option(...jsonOption)
    .action(async (given: unknown) => {
      const { json, profile, ...options } = janitorSchema.parse(given);
      const report = await benchJanitor(io, { ...options, profileDir: profile });
      finish(io, report, json ? undefined : janitorTable(report));
    });
}

const telemetrySchema = z.object({
  rounds: z.number(),
  jobs: z.number(),
  rate: z.number(),
  profile: z.string().optional(),
  json: z.boolean().default(false),
});

function telemetryCommand(io: Io): Command {
  return new Command('telemetry')
    .description('what traces cost: CPU per runner of the three services, at 10 % and at 100 %')
    .option('--rounds <number>', 'each measures without traces, at 10 % and at 100 %', positive, 5)
    .option('--jobs <number>', 'jobs of one measurement', positive, 800)
    .option('--rate <number>', 'jobs a second', positive, 60)
    .option(
      '--profile <folder>',
      'write CPU profiles of the services there, by mode; the figures then count little',
    )
    .option(...jsonOption)
    .action(async (given: unknown) => {
      const { json, profile, rate, ...options } = telemetrySchema.parse(given);
      const wanted = { ...options, jobsPerS: rate, profileDir: profile };
      const report = await benchTelemetry(io, wanted);
      finish(io, report, json ? undefined : telemetryTable(report));
    });
}

function parts(text: string): JanitorPart[] {
  const named = z.array(z.enum(janitorParts)).safeParse(text.split(','));
  if (named.success) return named.data;
  throw new InvalidArgumentError(`Name some of ${janitorParts.join(', ')}.`);
}

function finish(
  { stdout }: Io,
  report: { books: readonly string[] },
  table: string | undefined,
): void {
  if (table !== undefined) stdout.write(`${table}\nbooks: ${report.books.join('; ')}\n`);
  stdout.write(`${JSON.stringify(report)}\n`);
}

function numbers(text: string): number[] {
  return text.split(',').map(positive);
}
