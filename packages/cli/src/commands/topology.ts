import { buckets, topology } from '@baton/shared/contracts';
import { AppError, errorText } from '@baton/shared/errors';
import {
  applyTopology,
  diffTopology,
  type Nats,
  type TopologyDifference,
} from '@baton/shared/messaging';
import { claimInstallation, verifyInstallation } from '@baton/shared/stores';
import { type Command, InvalidArgumentError } from 'commander';
import type { CliConfig } from '../cli-config.ts';
import { type Context, type OutputFormat, outputOption, writeResult } from '../context.ts';
import { Refusal } from '../failure.ts';
import { withNats } from '../stores.ts';

interface ApplyOptions {
  replicas: number;
  output: OutputFormat;
}

export function registerTopology(program: Command, context: Context): void {
  const command = program
    .command('topology')
    .description('the streams, consumers and buckets in NATS');

  command
    .command('apply')
    .description('create what is missing and update what differs; safe to repeat')
    .option('--replicas <n>', 'copies of each new stream and bucket', replicaCount, 1)
    .addOption(outputOption())
    .action(async ({ replicas, output }: ApplyOptions) => {
      const changes = await withNats(
        context,
        async (nats, config) => await apply(nats, config, replicas),
      );
      writeResult(context, output, changes, () =>
        changes.length === 0 ? 'topology unchanged\n' : changes.map(changeText).join(''),
      );
    });

  command
    .command('diff')
    .description('say what differs; exit code 1 when something does')
    .addOption(outputOption())
    .action(async ({ output }: { output: OutputFormat }) => {
      const differences = await withNats(context, diff);
      writeResult(context, output, differences, () => differences.map(differenceText).join(''));
      if (differences.length === 0) return;
      throw new Refusal('the topology differs: run "baton topology apply"');
    });
}

/** Buckets of another installation are refused before anything is changed in them. */
async function apply(
  nats: Nats,
  { installationId, leaseTtlMs }: CliConfig,
  replicas: number,
): Promise<TopologyDifference[]> {
  const wanted = topology({ leaseTtlMs });
  if (hasSpecs(await diffTopology(nats, wanted))) await claimInstallation(nats, installationId);
  const changes = await applyTopology(nats, wanted, replicas).catch((error: unknown) => {
    throw error instanceof AppError
      ? error
      : new Refusal(`NATS refused the topology: ${errorText(error)}`);
  });
  await claimInstallation(nats, installationId);
  return changes;
}

async function diff(
  nats: Nats,
  { installationId, leaseTtlMs }: CliConfig,
): Promise<TopologyDifference[]> {
  const differences = await diffTopology(nats, topology({ leaseTtlMs }));
  if (hasSpecs(differences)) await verifyInstallation(nats, installationId);
  return differences;
}

function hasSpecs(differences: readonly TopologyDifference[]): boolean {
  return !differences.some(({ name, problem }) => name === buckets.specs && problem === 'missing');
}

function changeText({ kind, name, problem }: TopologyDifference): string {
  return problem === 'missing'
    ? `${kind} ${name} created\n`
    : `${kind} ${name} updated: ${problem}\n`;
}

function differenceText({ kind, name, problem }: TopologyDifference): string {
  return `${kind} ${name}: ${problem}\n`;
}

function replicaCount(text: string): number {
  if (!/^[1-5]$/.test(text)) throw new InvalidArgumentError('Use a number from 1 to 5.');
  return Number(text);
}
