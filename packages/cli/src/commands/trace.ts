import {
  findLives,
  lifeSummary,
  lifeView,
  type RunnerLife,
  readTraceFile,
  renderList,
  renderLives,
  renderSteps,
  SpanIndex,
  slowest,
  stepTimes,
} from '@baton/traces';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Context, type OutputFormat, outputOption, writeResult } from '../context.ts';
import { Refusal } from '../failure.ts';

interface TraceOptions {
  runner?: string;
  slowest: number;
  list?: true;
  output: OutputFormat;
}

/** Where nobody says how wide it is. */
const plainWidth = 120;

export function registerTrace(program: Command, context: Context): void {
  program
    .command('trace')
    .description('the lives of runners in a file of traces, as "npm start -- --trace" writes it')
    .argument('<file>', "OTLP in JSON, a request a line: what OpenTelemetry's file exporter writes")
    .option('--runner <name>', 'the life of this runner, by its name or id')
    .addOption(
      new Option('--slowest <n>', 'the lives that took longest, their jobs left out')
        .argParser(positive)
        .default(1)
        .conflicts('runner'),
    )
    .addOption(
      new Option('--list', 'only who they are, those that took longest first').conflicts([
        'runner',
        'slowest',
      ]),
    )
    .addOption(outputOption())
    .addHelpText('after', examples)
    .action(async (file: string, { output, list, ...wanted }: TraceOptions) => {
      const index = new SpanIndex(await readTraceFile(file));
      const all = findLives(index);
      if (all.length === 0) throw new Refusal(`no runner is in ${file}`);
      if (list) {
        const runners = slowest(all, all.length);
        const view = { runners: runners.map(lifeSummary), steps: stepTimes(all) };
        return writeResult(context, output, view, () => renderList(runners, context.colors()));
      }
      const shown = choose(all, { file, ...wanted });
      const runners = shown.map((life) => lifeView(index, life));
      const view = { runners, steps: stepTimes(all) };
      writeResult(context, output, view, () => {
        const colors = context.colors();
        const options = { colors, width: context.stdout.columns ?? plainWidth };
        return `${renderLives(index, shown, options)}\n${renderSteps(all, colors)}`;
      });
    });
}

function choose(
  lives: readonly RunnerLife[],
  { file, runner, slowest: count }: Omit<TraceOptions, 'output'> & { file: string },
): RunnerLife[] {
  if (runner === undefined) return slowest(lives, count);
  const found = lives.filter(({ runnerName, runnerId }) => [runnerName, runnerId].includes(runner));
  if (found.length > 0) return found;
  const hint = '--list shows who is';
  throw new Refusal(`no runner "${runner}" is among the ${lives.length} in ${file}: ${hint}`);
}

function positive(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Not a whole number above 0.');
}

const examples = `
Examples:
  baton trace baton-trace.jsonl
  baton trace baton-trace.jsonl --list
  baton trace baton-trace.jsonl --runner linux-prod1-x7k2m9qd4f
  baton trace baton-trace.jsonl --slowest 1000 -o json | jq '.runners[].spans[] | select(.error)'`;
