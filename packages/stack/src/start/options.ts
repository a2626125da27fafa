import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { type ProviderName, providerNames } from '../stack-options.ts';
import type { Io } from './io.ts';

const killTargets = ['listener', 'provisioner', 'janitor', 'nats'] as const;
export type KillTarget = (typeof killTargets)[number];
const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

export interface StartOptions {
  /** Undefined: without end. */
  jobs: number | undefined;
  exit: boolean;
  kill: KillTarget | undefined;
  seed: number;
  scaleSets: number;
  provider: ProviderName;
  keepLogs: boolean;
  /** The file that traces go to. */
  trace: string | undefined;
  logLevel: (typeof logLevels)[number];
  /** The options that stand on the line, as they are written there. */
  given: readonly string[];
}

const defaultJobs = 40;
const defaultTraceFile = 'baton-trace.jsonl';

const parsedSchema = z.object({
  jobs: z.int().optional(),
  exit: z.boolean().default(false),
  kill: z.enum(killTargets).optional(),
  seed: z.int().optional(),
  scaleSets: z.int(),
  provider: z.enum(providerNames),
  keepLogs: z.boolean().default(false),
  trace: z.string().optional(),
  logLevel: z.enum(logLevels),
});

/** @throws CommanderError for a line that cannot be used, after it was explained. */
export function parseOptions(args: readonly string[], io: Io): StartOptions {
  const command = startCommand(io).parse([...args], { from: 'user' });
  const { jobs, seed, ...parsed } = parsedSchema.parse(command.opts());
  const bounded = parsed.exit || parsed.kill !== undefined;
  return {
    ...parsed,
    kill: parsed.kill,
    trace: parsed.trace,
    jobs: jobs ?? (bounded ? defaultJobs : undefined),
    seed: seed ?? Math.floor(io.random() * 1_000_000),
    given: command.options
      .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
      .map(({ long }) => long ?? ''),
  };
}

function startCommand({ stdout, stderr }: Io): Command {
  return new Command('npm start --')
    .description('Runs all of Baton on this machine, and watches it work.')
    .usage('[options]')
    .option('--jobs <number>', 'queue so many jobs, then no more (default: until Ctrl-C)', positive)
    .option(
      '--exit',
      `leave when the jobs are done (${defaultJobs} without --jobs); prints a JSON report`,
    )
    .addOption(
      new Option(
        '--kill <process>',
        'SIGKILL such a process in the middle of the work; it is started again',
      ).choices(killTargets),
    )
    .option('--seed <number>', 'decides the jobs and whom --kill hits (default: random)', whole)
    .option('--scale-sets <number>', 'how many scale sets', positive, 2)
    .addOption(
      new Option('--provider <type>', 'where the runners live')
        .choices(providerNames)
        .default('process'),
    )
    .option('--keep-logs', 'keep the logs of all processes, and say where')
    .addOption(
      new Option(
        '--trace [file]',
        `write the traces to a file (default: ${defaultTraceFile}), and show the slowest runner at the end`,
      ).preset(defaultTraceFile),
    )
    .addOption(
      new Option('--log-level <level>', 'of the services').choices(logLevels).default('info'),
    )
    .addHelpText('after', helpText)
    .allowExcessArguments(false)
    .showHelpAfterError('Add --help for usage.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

const helpText = `
Without further ado it runs nats-server, a simulated GitHub, two listeners, two provisioners and
a janitor, each a process of its own, and gives them jobs. Ctrl-C drains everything.

With --exit the last line of stdout is the report as JSON, and everything else goes to stderr.

With --trace each line of the file is one request of OTLP in JSON, as OpenTelemetry's file exporter writes
it. At the end the runner is shown that took longest, its job left out; "node scripts/launch.mjs baton trace FILE"
shows others. Traces go where the OTEL_* variables say too, as OTEL_EXPORTER_OTLP_ENDPOINT, with --trace and
without.

With --provider docker runners are containers of the Docker engine that DOCKER_HOST (default
unix:///var/run/docker.sock), DOCKER_TLS_VERIFY and DOCKER_CERT_PATH name. It must be on this machine,
where the simulator is; the image of the simulated runner is made for the run.

Against the real GitHub (no simulator, no jobs of its own), with these variables:
  BATON_GITHUB_CONFIG_URL   https://github.com/ORG, https://github.com/OWNER/REPO, …
  BATON_GITHUB_TOKEN        a token that may manage self-hosted runners; or BATON_GITHUB_TOKEN_FILE
  BATON_RUNNER_DIR          actions/runner, unpacked: https://github.com/actions/runner/releases
                            (not needed with --provider docker)
  BATON_RUNNER_IMAGE        the image with --provider docker, default
                            ghcr.io/actions/actions-runner:latest
  BATON_SCALE_SET           name of the scale set, default baton-local
  BATON_ADOPT               true: take over a scale set of that name which is there already, as
                            after a run that was killed

Exit codes: 0 all is right, 1 something is not, 2 wrong usage or no moment for --kill,
69 something cannot be reached, 78 the configuration cannot be used.`;

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Not a whole number.');
  return Number(text);
}

function positive(text: string): number {
  const number = whole(text);
  if (number < 1) throw new InvalidArgumentError('At least 1.');
  return number;
}
