import { buckets, type Finding, type Topology, topology } from '@baton/shared/contracts';
import { errorText } from '@baton/shared/errors';
import { diffTopology, type Nats, natsClockAheadMs } from '@baton/shared/messaging';
import {
  listServed,
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
import { capacityFindings } from './core/capacity-findings.ts';
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
    ...(await checkCapacity(nats, scaleSet)),
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
  const found = await listServed(await openSpecs(nats), scaleSet);
  const name = 'scale-sets';
  if (found.length > 0) return { check: name, outcome: 'ok', text: `${found.length} to look at` };
  if (scaleSet === undefined) {
    const text = 'none is enabled, so nothing at GitHub is looked at: see "baton get scalesets"';
    return { check: name, outcome: 'warning', text };
  }
  const text = `there is no enabled scale set "${scaleSet}": see "baton get scalesets"`;
  return { check: name, outcome: 'failed', text };
}

/** Whether provisioners say what could be created for the scale sets that are to be served. */
async function checkCapacity(nats: Nats, scaleSet: string | undefined): Promise<Finding[]> {
  try {
    const specs = await listServed(await openSpecs(nats), scaleSet);
    const plans = await (await openPlans(nats)).getMany(specs.map(({ scaleSetId }) => scaleSetId));
    const byId = new Map(plans.map(({ key, value }) => [key, value]));
    const planned = specs.map((spec) => ({ spec, plan: byId.get(spec.scaleSetId) }));
    return capacityFindings(planned, nats.clock.now());
  } catch (error) {
    return [{ check: 'capacity', outcome: 'failed', text: errorText(error) }];
  }
}

/** The listeners that live by their records. */
export async function liveListeners(nats: Nats): Promise<string[]> {
  return (await (await openMembers(nats)).list()).map(({ value }) => value.identity);
}
