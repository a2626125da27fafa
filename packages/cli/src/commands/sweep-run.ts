import { type SweepName, sweepNames } from '@baton/shared/contracts';
import { askSweep, type SweepReports } from '@baton/shared/messaging';
import { type Command, InvalidArgumentError } from 'commander';
import { type Context, type OutputFormat, outputOption, writeResult } from '../context.ts';
import { parseDuration } from '../core/duration.ts';
import { type SweepRunView, sweepRunView } from '../core/sweep-view.ts';
import { Refusal } from '../failure.ts';
import { renderSweepRuns } from '../render-sweep-runs.ts';
import { sweepName, withSweeps } from '../sweeps.ts';

interface RunOptions {
  dryRun?: boolean;
  timeout: number;
  output: OutputFormat;
}

const limits = { default: 60_000, least: 1_000, most: 600_000 };

export function registerSweepRun(sweep: Command, context: Context): void {
  sweep
    .command('run')
    .description('run a sweep now, or say what a run would do and why')
    .argument('<name>', `"all", or one of: ${sweepNames.join(', ')}`, namesOf)
    .option('--dry-run', 'change nothing: say what would be done, held, and left alone')
    .option('--timeout <time>', 'how long a run may take: 1s to 10m', timeout, limits.default)
    .addOption(outputOption())
    .action(async (names: SweepName[], options: RunOptions) => {
      const { output, timeout: timeoutMs, dryRun = false } = options;
      const views = await withSweeps(context, async ({ nats }) => {
        const asked = names.map(async (name) => {
          const reports = await askSweep(nats, { sweep: name, dryRun, timeoutMs });
          return viewsOf(name, reports, dryRun);
        });
        return (await Promise.all(asked)).flat();
      });
      writeResult(context, output, views, () => renderSweepRuns(views, context));
      const failed = views.filter(({ failure }) => failure !== null);
      if (failed.length > 0) throw new Refusal(failed.map(failureText).join('\nbaton: '));
    });
}

function viewsOf(sweep: SweepName, { parts, idle }: SweepReports, dryRun: boolean): SweepRunView[] {
  if (parts.length > 0) return parts.map((part) => sweepRunView(sweep, part, dryRun));
  const failure =
    idle === 0
      ? 'no janitor answers: start one, or look at its log'
      : `${idle} ${idle === 1 ? 'janitor answers' : 'janitors answer'}, and none leads it yet: try again in some seconds`;
  const nobody = { instance: '', hostId: undefined, end: undefined };
  return [{ ...sweepRunView(sweep, nobody, dryRun), janitor: null, failure }];
}

function failureText({ sweep, host, failure }: SweepRunView): string {
  return `sweep ${sweep}${host === null ? '' : ` on ${host}`}: ${failure ?? ''}`;
}

function namesOf(text: string): SweepName[] {
  return text === 'all' ? [...sweepNames] : [sweepName(text)];
}

function timeout(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= limits.least && ms <= limits.most) return ms;
  throw new InvalidArgumentError('Use a time from 1s to 10m.');
}
