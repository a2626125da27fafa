import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { LocalStack } from '@baton/stack';

/**
 * How long a killed listener takes to poll again under its own identity, from the start of its
 * process, while the simulator holds the old session. The judge is the simulator's list of held
 * polls. The floor is the start of a bare Node process on this machine.
 */
const { values } = parseArgs({ options: { kills: { type: 'string', default: '5' } } });
const kills = Number(values.kills);

await using stack = await LocalStack.start({
  env: process.env,
  services: { listener: 1, provisioner: 1, janitor: 1 },
  github: { kind: 'simulator', args: [] },
  maxInstances: 10,
  leaseTtlMs: 10_000,
  say: (text) => console.error(text),
});
await stack.applyScaleSets([{ name: 'linux', maxRunners: 5 }]);
const listener = stack.service('listener-0');
const samples: number[] = [];
const floor: number[] = [];
await polling(true);
for (let kill = 0; kill < kills; kill += 1) {
  await listener.kill();
  await polling(false);
  listener.restart();
  await polling(true);
  samples.push(Date.now() - listener.startedAt);
  floor.push(await bareStart());
  console.error(`kill ${kill + 1}: polling again after ${samples.at(-1)} ms`);
}
console.log(JSON.stringify({ sameIdentityMs: spread(samples), floorMs: spread(floor) }));

async function polling(wanted: boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const state = await stack.sim?.state();
    if ((state?.scaleSets[0]?.session?.held ?? false) === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`the scale set was not ${wanted ? 'polled' : 'left'} within 30 s`);
}

async function bareStart(): Promise<number> {
  const startedAt = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return Math.round(performance.now() - startedAt);
}

function spread(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  return { min: sorted[0], median: sorted[Math.floor(sorted.length / 2)], max: sorted.at(-1) };
}
