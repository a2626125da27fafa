import { doctorTimeoutMs, type Finding } from '@baton/shared/contracts';
import { errorText } from '@baton/shared/errors';
import { askDoctor, connectNats } from '@baton/shared/messaging';
import { silentLogger } from '@baton/shared/telemetry';
import { type Command, InvalidArgumentError } from 'commander';
import { type CliConfig, loadCliConfig } from '../cli-config.ts';
import { type Context, type OutputFormat, outputOption, writeResult } from '../context.ts';
import { at, type FindingView, renderFindings, serviceFindings } from '../core/doctor-view.ts';
import { parseDuration } from '../core/duration.ts';
import { Refusal } from '../failure.ts';
import { liveListeners, ownChecks } from '../own-checks.ts';

interface DoctorOptions {
  scaleSet?: string;
  timeout: number;
  output: OutputFormat;
}

const place = 'cli';

export function registerDoctor(program: Command, context: Context): void {
  program
    .command('doctor')
    .description('say what is wrong, as seen from here and from every service; changes nothing')
    .option('--scale-set <name>', 'only what this scale set needs, by name or internal id')
    .option(
      '--timeout <time>',
      'how long each service may look: 1s to 60s',
      timeout,
      doctorTimeoutMs.default,
    )
    .addOption(outputOption())
    .action(async (options: DoctorOptions) => {
      const views = await examine(context, options);
      writeResult(context, options.output, views, () => renderFindings(views, context.colors()));
      const failed = views.filter(({ outcome }) => outcome === 'failed').length;
      if (failed > 0) throw new Refusal(`${failed} of ${views.length} checks failed`);
    });
}

/** What cannot be checked is a finding: the operator is told all there is, in one place. */
async function examine(context: Context, options: DoctorOptions): Promise<FindingView[]> {
  const views: FindingView[] = [];
  const add = (finding: Finding) => void views.push(at(place, finding));
  let step = 'configuration';
  try {
    const config = loadCliConfig(context.env);
    add({ check: step, outcome: 'ok', text: `installation "${config.installationId}"` });
    step = 'nats';
    await using nats = await connect(context, config);
    add({ check: step, outcome: 'ok', text: `connected as ${config.natsUser}` });
    const { scaleSet, timeout: timeoutMs } = options;
    for (const finding of await ownChecks(nats, config, scaleSet)) add(finding);
    step = 'services';
    const members = await liveListeners(nats).catch(() => []);
    views.push(...serviceFindings(await askDoctor(nats, { scaleSet, timeoutMs }), members));
  } catch (error) {
    add({ check: step, outcome: 'failed', text: errorText(error) });
  }
  return views;
}

async function connect({ clock }: Context, config: CliConfig) {
  return await connectNats({ ...config, name: 'baton cli', log: silentLogger(), clock });
}

function timeout(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= doctorTimeoutMs.least && ms <= doctorTimeoutMs.most) return ms;
  throw new InvalidArgumentError('Use a time from 1s to 60s.');
}
