import { type LogLevelRequest, logChangeMs } from '@baton/shared/contracts';
import { askLogLevels } from '@baton/shared/messaging';
import { type LogComponent, logComponents, logLevels } from '@baton/shared/telemetry';
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { type Context, type OutputFormat, outputOption, writeResult } from '../context.ts';
import { parseDuration } from '../core/duration.ts';
import {
  changedText,
  type LogLevelView,
  levelsText,
  logLevelView,
} from '../core/log-level-view.ts';
import { findNearest } from '../core/nearest.ts';
import { Refusal } from '../failure.ts';
import { renderOptions, renderTable } from '../render-table.ts';
import { withNats } from '../stores.ts';

interface Whom {
  service?: string;
  instance?: string;
  output: OutputFormat;
}
interface Which extends Whom {
  component?: LogComponent[];
}

export function registerLogLevel(program: Command, context: Context): void {
  const logLevel = program
    .command('log-level')
    .description('what the logs of the services show: list, change for a time, take back')
    .addHelpText('after', examples);
  withWhom(logLevel.command('list').description('the levels of every process')).action(
    async (whom: Whom) => await ask(context, whom.output, { ...to(whom), kind: 'list' }),
  );
  withWhom(logLevel.command('set').description('change levels for a time'))
    .addArgument(new Argument('<level>', 'what to show from').choices(logLevels))
    .addOption(componentOption())
    .option(
      '--for <time>',
      'then what is configured holds again: 1s to 24h',
      time,
      logChangeMs.default,
    )
    .action(
      async (level: (typeof logLevels)[number], options: Which & { for: number }) =>
        await ask(context, options.output, {
          ...to(options),
          ...named(options),
          kind: 'set',
          level,
          forMs: options.for,
        }),
    );
  withWhom(logLevel.command('reset').description('what is configured holds again, now'))
    .addOption(componentOption())
    .action(
      async (options: Which) =>
        await ask(context, options.output, { ...to(options), ...named(options), kind: 'reset' }),
    );
}

function withWhom(command: Command): Command {
  return command
    .addOption(new Option('--service <name>', 'only its processes').choices(services))
    .option('--instance <name>', 'only the process of this name')
    .addOption(outputOption());
}

const services = ['listener', 'provisioner', 'janitor'];

function componentOption(): Option {
  const all = 'only these, as a list with commas';
  return new Option('--component <names>', all).argParser(componentsArgument);
}

function componentsArgument(text: string, before: LogComponent[] = []): LogComponent[] {
  const found = text.split(',').map((name) => {
    const component = logComponents.find((one) => one === name);
    if (component) return component;
    const [near] = findNearest(name, logComponents);
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
    throw new InvalidArgumentError(`There is no such component.${hint}`);
  });
  return [...before, ...found];
}

function named({ component: components }: Which) {
  return components ? { components } : {};
}

/** Whom it concerns. */
function to({ service, instance }: Whom) {
  return { v: 1 as const, service, instance };
}

async function ask(
  context: Context,
  output: OutputFormat,
  request: LogLevelRequest,
): Promise<void> {
  const answers = await withNats(context, (nats) => askLogLevels(nats, request));
  if (answers.length === 0) {
    throw new Refusal('no such process answers: look whether it runs and reaches NATS');
  }
  const views = answers.map(logLevelView);
  writeResult(context, output, views, () => renderTable(columns, views, renderOptions(context)));
}

const columns = [
  { heading: 'SERVICE', cell: ({ service }: LogLevelView) => service },
  { heading: 'INSTANCE', cell: ({ instance }: LogLevelView) => instance },
  { heading: 'LEVELS', cell: (view: LogLevelView) => levelsText(view) },
  { heading: 'CHANGED', cell: (view: LogLevelView) => changedText(view) },
];

function time(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= logChangeMs.least && ms <= logChangeMs.most) return ms;
  throw new InvalidArgumentError('Use a time from 1s to 24h.');
}

const examples = `
Components: ${logComponents.join(', ')}

Examples:
  baton log-level list
  baton log-level set debug --service listener --component poll,message --for 10m
  baton log-level reset`;
