import type { Spec } from '@baton/shared/contracts';
import { runnerKey } from '@baton/shared/contracts';
import { aPlan, aRunner } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bench, type Provisioner } from './testing/bench.ts';
import { EmptyProvider } from './testing/empty-provider.ts';

let bench: Bench;
let provisioner: Provisioner;
beforeAll(async () => {
  bench = await Bench.start();
  provisioner = await bench.provisioner(new EmptyProvider());
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

/** A scale set whose runners all work. */
async function withBusyRunners(name: string, count: number): Promise<Spec> {
  const spec = await bench.declare(name, { maxRunners: 1_000 });
  const { scaleSetId, generation } = spec;
  const records = Array.from({ length: count }, (_, n) =>
    aRunner({ scaleSetId, runnerId: `${name.slice(0, 4)}${n}`, state: 'busy', generation }),
  );
  await Promise.all(
    records.map((record) =>
      bench.stores.runners.put(runnerKey(scaleSetId, record.runnerId), record),
    ),
  );
  const runners = records.map(({ runnerId, createdAt }) => ({
    runnerId,
    recorded: true,
    namedAt: createdAt,
  }));
  await bench.stores.plans.put(scaleSetId, aPlan({ scaleSetId, runners }));
  await bench.demand(spec, { seq: 1, assigned: count });
  await provisioner.planner.reconcile(scaleSetId);
  return spec;
}

/** How many messages the provisioner sends to NATS for one job more. */
async function messagesForOneMore(spec: Spec, assigned: number): Promise<number> {
  const stats = () => provisioner.nats.connection.stats().outMsgs;
  await bench.demand(spec, { seq: 2, assigned });
  const before = stats();
  await provisioner.planner.reconcile(spec.scaleSetId);
  return stats() - before;
}

describe('a demand for one runner more', () => {
  test('costs as much with four hundred live runners as with four', async () => {
    const few = await withBusyRunners('few-live', 4);
    const many = await withBusyRunners('many-live', 400);

    const withFew = await messagesForOneMore(few, 5);
    const withMany = await messagesForOneMore(many, 401);

    expect((await bench.planOf(many)).runners).toHaveLength(401);
    expect(withMany).toBe(withFew);
    expect(withFew).toBeLessThan(12);
  });
});
