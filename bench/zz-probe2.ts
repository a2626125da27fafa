// @ts-nocheck
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scaleSetIdOf } from '@baton/shared/contracts';
import { systemClock } from '@baton/shared/time';
import { addJobs, burst } from './pipeline/jobs.ts';
import { cpuPerRunner, PipelineStack } from './pipeline/zz-stack.ts';

const rate = Number(process.argv[2] ?? 20),
  seconds = Number(process.argv[3] ?? 5),
  burstN = Number(process.argv[4] ?? 0);
const context = {
  env: process.env,
  clock: systemClock,
  random: Math.random,
  say: console.error,
  signal: new AbortController().signal,
};
{
  await using stack = await PipelineStack.start(context, {
    sets: 20,
    provisioners: 2,
    maxRunners: 1000,
    profileDir: process.env.PROF,
  });
  await addJobs(context, stack, { jobsPerS: 20, seconds: 2 });
  await stack.untilCreated(40, 60000);
  const known = new Set(stack.book.lines.keys());
  await stack.journal.read();
  const pos = stack.journal.position;
  const before = await stack.cpu();
  const ids = new Set(await addJobs(context, stack, { jobsPerS: rate, seconds }));
  await stack.untilCreated(40 + ids.size, 60000);
  await systemClock.sleep(500);
  const cpu = cpuPerRunner(before, await stack.cpu(), ids.size);
  await stack.journal.read();
  const jobs = (await stack.sim.jobs()).filter((j) => ids.has(j.id));
  const delivered = stack.journal.since(pos).filter((e) => e.event === 'delivered');
  const logs = [];
  for (const f of await readdir(join(stack.stack.dir, 'logs')))
    if (/provisioner|listener/.test(f))
      for (const l of (await readFile(join(stack.stack.dir, 'logs', f), 'utf8')).split('\n'))
        if (l.startsWith('{')) logs.push(JSON.parse(l));
  const req = new Map(
    logs.filter((l) => l.msg === 'runner requested').map((l) => [l.runnerId, Date.parse(l.time)]),
  );
  const cre = new Map(logs.filter((l) => l.msg === 'runner created').map((l) => [l.runnerId, l]));
  const q = (a, p) => a.sort((x, y) => x - y)[Math.floor(p * (a.length - 1))]?.toFixed(1);
  const show = (n, a) =>
    console.log(n.padEnd(40), 'n', a.length, 'p50', q(a, 0.5), 'p90', q(a, 0.9), 'p99', q(a, 0.99));
  const bySet = new Map();
  const qa = [],
    ad = [],
    dr = [],
    rc = [],
    cd = [];
  for (const j of jobs) {
    qa.push(j.assignedAt - j.queuedAt);
    const d = delivered.find((e) => e.scaleSet === j.scaleSet && e.at >= j.assignedAt);
    if (d) ad.push(d.at - j.assignedAt);
  }
  const nameOf = new Map(stack.names.map((n) => [scaleSetIdOf(n), n]));
  const reqBySet = new Map(),
    delBySet = new Map();
  for (const [id, line] of stack.book.lines) {
    if (known.has(id)) continue;
    const s = nameOf.get(line.scaleSetId);
    (reqBySet.get(s) ?? reqBySet.set(s, []).get(s)).push(req.get(id));
    rc.push(line.at - req.get(id));
    const c = cre.get(id);
    if (c) cd.push(c.durationMs);
  }
  for (const j of jobs) {
    const d = delivered.find((e) => e.scaleSet === j.scaleSet && e.at >= j.assignedAt);
    if (d) (delBySet.get(j.scaleSet) ?? delBySet.set(j.scaleSet, []).get(j.scaleSet)).push(d.at);
  }
  for (const [s, r] of reqBySet) {
    r.sort((a, b) => a - b);
    const d = (delBySet.get(s) ?? []).sort((a, b) => a - b);
    r.forEach((t, i) => d[i] !== undefined && dr.push(t - d[i]));
  }
  show('queued->assigned', qa);
  show('assigned->delivered', ad);
  show('delivered->requested', dr);
  show('requested->create called', rc);
  show('claim..created durationMs', cd);
  console.log(
    'cpu/runner',
    JSON.stringify(cpu),
    'rss',
    (await stack.provisionerRssMb()).toFixed(0),
  );
  const msgs = new Map();
  for (const l of logs) msgs.set(l.level + ' ' + l.msg, (msgs.get(l.level + ' ' + l.msg) ?? 0) + 1);
  console.log([...msgs].sort((a, b) => b[1] - a[1]).slice(0, 14));
  if (burstN) {
    for (let i = 0; i < 2; i++) {
      const b = await stack.cpu();
      const r = await burst(stack, burstN);
      console.log(
        'burst',
        r,
        JSON.stringify(cpuPerRunner(b, await stack.cpu(), burstN)),
        'rss',
        (await stack.provisionerRssMb()).toFixed(0),
      );
    }
  }
}
process.exit(0);
