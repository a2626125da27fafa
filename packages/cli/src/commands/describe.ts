import type { Plan, Registration, SessionRecord, Spec, Status } from '@baton/shared/contracts';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { type Context, type OutputFormat, outputOption, writeResult } from '../context.ts';
import { type RunnerView, runnerView } from '../core/runner-view.ts';
import { findSpec } from '../read-records.ts';
import { renderTable, runnerColumns } from '../render-table.ts';
import { type Stores, withStores } from '../stores.ts';

/** What `baton describe NAME -o json` prints: the records as they lie in the buckets. */
interface Description {
  name: string;
  scaleSetId: string;
  spec: Spec;
  status: Status | null;
  registration: Registration | null;
  session: SessionRecord | null;
  plan: Plan | null;
  runners: RunnerView[];
}

export function registerDescribe(program: Command, context: Context): void {
  program
    .command('describe')
    .description('everything about one scale set')
    .argument('<name>', 'name or internal id of the scale set')
    .addOption(outputOption())
    .action(async (name: string, { output }: { output: OutputFormat }) => {
      const description = await withStores(
        context,
        async (stores) => await readDescription(stores, name),
      );
      writeResult(context, output, description, () => descriptionText(description, context));
    });
}

async function readDescription(stores: Stores, name: string): Promise<Description> {
  const { key, value: spec } = await findSpec(stores, name);
  const [status, registration, session, plan, runners] = await Promise.all([
    stores.statuses.get(key),
    stores.registrations.get(key),
    stores.sessions.get(key),
    stores.plans.get(key),
    stores.runners.list(key),
  ]);
  return {
    name: spec.declaration.name,
    scaleSetId: key,
    spec,
    status: status?.value ?? null,
    registration: registration?.value ?? null,
    session: session?.value ?? null,
    plan: plan?.value ?? null,
    runners: runners
      .map(({ value }) => runnerView(value, spec.declaration.name))
      .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1)),
  };
}

function descriptionText(description: Description, context: Context): string {
  const { spec, status, registration, session, plan, runners } = description;
  const { declaration, ...rest } = spec;
  const colors = context.colors();
  const section = (title: string, value: unknown, nothing = '') => {
    const text = value === null ? nothing : stringify(value).trimEnd();
    return `${colors.bold(title)}\n${text.replace(/^/gm, '  ')}\n`;
  };
  const table =
    runners.length === 0
      ? '  none\n'
      : renderTable(runnerColumns, runners, { colors, nowMs: context.clock.now() });
  return [
    section('Declaration', declaration),
    section('Spec', rest),
    section('Status', status, 'no listener has reported on it'),
    section('Registration', registration, 'not registered at GitHub yet'),
    section('Session', session, 'no listener has claimed it'),
    section('Plan', plan, 'no provisioner has planned it'),
    `${colors.bold('Runners')}\n${table}`,
  ].join('\n');
}
