import { systemClock } from '@baton/shared/time';
import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import { declare, startFleet, tally } from './losses-fixture.ts';
import { records } from './stack-fixture.ts';

const patient = { timeoutMs: 60_000, everyMs: 100 };

test('NATS is wiped under twenty busy runners', async () => {
  await using fleet = await startFleet({
    services: { listener: 2, provisioner: 2, janitor: 2 },
    github: { kind: 'simulator', args: ['--session-expiry-ms', '8000'] },
    keepLogsIn: '/tmp/losses/logs-wipe',
    envOf: { janitor: { BATON_SWEEP_EVERY_MS: '5000', BATON_GITHUB_SWEEP_EVERY_MS: '5000' } },
  });
  const { stack, sim } = fleet;
  const scaleSets = [
    { name: 'linux', maxRunners: 40 },
    { name: 'warm', minRunners: 3, maxRunners: 5 },
  ];
  await declare(fleet, scaleSets);
  await sim.addJobs({ scaleSet: 'linux', count: 20, durationMs: 120_000 });
  await eventually(async () => expect((await sim.state()).jobs.running).toBe(20), patient);
  await eventually(async () => expect((await sim.books()).runnersOnline).toBe(23), patient);

  const t = Date.now();
  const look = setInterval(async () => {
    const recs = await records(stack).catch(() => undefined);
    const held = (await sim.state()).scaleSets.map(({name, session}) => `${name} ${session?.owner} ${session?.held}`);
    console.log(Date.now() - t, held, tally((await sim.jobs()).map(({ status, scaleSet }) => `${scaleSet} ${status}`)), recs && tally(recs.map(r=>`${r.scaleSetId} ${r.state}`)), tally((await stack.instances()).map((i) => `${i.scaleSetId} ${i.state}`)), (await sim.books()).registrations.length);
  }, 5000);
  await stack.replaceNatsStore();
  console.log(Date.now() - t, 'empty');
  await systemClock.sleep(3_000);
  await stack.baton('topology', 'apply');
  await stack.applyScaleSets(scaleSets);
  console.log(Date.now() - t, 'applied');
  await systemClock.sleep(15_000);
  console.log(await stack.baton('get', 'scalesets'));
  await stack.applyScaleSets(scaleSets.map((one) => ({ ...one, adopt: true })));
  console.log(Date.now() - t, 'adopt');
  await systemClock.sleep(120_000);
  clearInterval(look);
}, 300_000);
