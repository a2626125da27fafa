import { buckets, type Finding, type Topology, topology } from '@baton/shared/contracts';
import { errorText } from '@baton/shared/errors';
import { diffTopology, type Nats, natsClockAheadMs } from '@baton/shared/messaging';
import {
  listDeclared,
  openLeases,
  openMembers,
  openPlans,
  openRegistrations,
  openRunners,
  openSessions,
  openSpecs,
  openStatus,
  verifyInstallation,
} from '@baton/shared/stores';
import type { CliConfig } from './cli-config.ts';
import { clockFinding } from './core/doctor-view.ts';

/** A key that nobody writes: reading it needs the right to read the bucket, and finds nothing. */
const unusedKey = '_doctor';

/** What the CLI finds from its place, once it is connected. Never rejects. */
export async function ownChecks(
  nats: Nats,
  { installationId, leaseTtlMs }: CliConfig,
  scaleSet: string | undefined,
): Promise<Finding[]> {
  const whole = topology({ leaseTtlMs });
  const topologyFindings = await checkTopology(nats, whole);
  const findings = [
    ...topologyFindings,
    await check('installation', async () => {
      await verifyInstallation(nats, installationId);
      return `the buckets belong to "${installationId}"`;
    }),
    await check('rights', async () => {
      await readBuckets(nats);
      return `may read all ${Object.keys(buckets).length} buckets`;
    }),
    await check('clock', async () =>
      clockFinding('clock', await natsClockAheadMs(nats), 'nats-server'),
    ),
    await check('scale-sets', async () => await countScaleSets(nats, scaleSet)),
  ];
  return findings;
}

async function check(name: string, work: () => Promise<string | Finding>): Promise<Finding> {
  try {
    const found = await work();
    return typeof found === 'string' ? { check: name, outcome: 'ok', text: found } : found;
  } catch (error) {
    return { check: name, outcome: 'failed', text: errorText(error) };
  }
}

async function checkTopology(nats: Nats, whole: Topology): Promise<Finding[]> {
  try {
    const differences = await diffTopology(nats, whole);
    const { streams, buckets: kept, consumers } = whole;
    if (differences.length === 0) {
      const text = `${streams.length} streams, ${consumers.length} consumers and ${kept.length} buckets are as they should be`;
      return [{ check: 'topology', outcome: 'ok', text }];
    }
    return differences.map(({ kind, name, problem }) => ({
      check: 'topology',
      about: `${kind} ${name}`,
      outcome: 'failed',
      text: `${problem}: run "baton topology apply"`,
    }));
  } catch (error) {
    return [{ check: 'topology', outcome: 'failed', text: errorText(error) }];
  }
}

async function readBuckets(nats: Nats): Promise<void> {
  for (const open of [
    openSpecs,
    openLeases,
    openMembers,
    openRegistrations,
    openSessions,
    openStatus,
    openPlans,
    openRunners,
  ]) {
    await (await open(nats)).lookup(unusedKey);
  }
}

async function countScaleSets(nats: Nats, scaleSet: string | undefined): Promise<Finding> {
  const found = await listDeclared(await openSpecs(nats), scaleSet);
  const name = 'scale-sets';
  if (found.length > 0) return { check: name, outcome: 'ok', text: `${found.length} to look at` };
  if (scaleSet === undefined) {
    const text = 'none is enabled, so nothing at GitHub is looked at: see "baton get scalesets"';
    return { check: name, outcome: 'warning', text };
  }
  const text = `there is no enabled scale set "${scaleSet}": see "baton get scalesets"`;
  return { check: name, outcome: 'failed', text };
}

/** The listeners that live by their records. */
export async function liveListeners(nats: Nats): Promise<string[]> {
  return (await (await openMembers(nats)).list()).map(({ value }) => value.identity);
}
