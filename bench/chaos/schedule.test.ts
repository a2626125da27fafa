import { readFile } from 'node:fs/promises';
import type { FaultRuleInput } from '@baton/github-sim';
import { describe, expect, test } from 'vitest';
import { cut } from './cut.ts';
import { callOf, calls } from './lies/lie.ts';
import type { GitHubFault } from './random-fault.ts';
import { isOutage, serviceRoutes } from './random-outage.ts';
import { schedule, targets } from './schedule.ts';
import { workload } from './workload.ts';

const scaleSets = ['set-1', 'set-2', 'set-3'];
const instances = ['listener-0', 'listener-1', 'provisioner-0', 'janitor-0'];
const place = { instances, scaleSets, withoutJobs: 'set-4' };
const options = { seed: 7, lengthMs: 600_000, targets: [...targets], ...place };

function strikes(steps: ReturnType<typeof schedule>) {
  return steps.flatMap((step) => (step.kind === 'strike' ? [step] : []));
}

test('the same seed does the same, another one something else', () => {
  expect(schedule(options)).toEqual(schedule(options));
  expect(schedule({ ...options, seed: 8 })).not.toEqual(schedule(options));
  const jobs = { seed: 7, lengthMs: 60_000, jobsPerMinute: 60, scaleSets };
  expect(workload(jobs)).toEqual(workload(jobs));
  expect(workload({ ...jobs, seed: 8 })).not.toEqual(workload(jobs));
});

test('strikes only what was asked for, in every way, and faults do not depend on that', () => {
  const some = schedule({ ...options, targets: ['listener', 'nats'] });
  const struck = new Set(strikes(some).map(({ victim }) => victim));
  const faults = (steps: ReturnType<typeof schedule>) =>
    steps.filter(({ kind }) => kind === 'fault');

  expect(struck).toEqual(new Set(['listener-0', 'listener-1', 'nats']));
  expect(new Set(strikes(some).map(({ how }) => how))).toEqual(
    new Set(['kill', 'freeze', 'terminate']),
  );
  expect(faults(some)).toEqual(faults(schedule(options)));
});

describe('in the long run', () => {
  const all = schedule({ ...options, lengthMs: 7_200_000, githubOutages: true });
  const faults = all.flatMap((step) => (step.kind === 'fault' ? [step.fault] : []));
  const spoils = faults.flatMap((fault) => (fault.what === 'spoil' ? [fault] : []));

  /** The compiler asks for what is new. */
  const kinds = {
    spoil: true,
    outage: true,
    'long outage': true,
    'part outage': true,
    'expire tokens': true,
    'bare runners': true,
    'evict session': true,
    'release session': true,
    'restart ids': true,
    'odd message': true,
    'delete scale set': true,
    'kill runner': true,
    'announce completion': true,
    'drop registrations': true,
    mute: true,
    'runners exit': true,
    'runners connect late': true,
    'runners never connect': true,
    'false statistics': true,
  } satisfies Record<GitHubFault['what'], true>;
  const actions = {
    status: true,
    empty200: true,
    truncate: true,
    hang: true,
    'hang-after': true,
    stall: true,
    drop: true,
    delay: true,
  } satisfies Record<FaultRuleInput['action']['kind'], true>;

  test('everything is done that can be done to the simulator, and to the answers of its calls', () => {
    expect(new Set(faults.map(({ what }) => what))).toEqual(new Set(Object.keys(kinds)));
    expect(new Set(spoils.map(({ action }) => action.kind))).toEqual(new Set(Object.keys(actions)));
  });

  test('every call that is made to github.com is spoiled', () => {
    const called = serviceRoutes.filter((route) => route !== 'acquireJobs');

    expect(new Set(spoils.map(({ route }) => route))).toEqual(new Set(called));
  });

  test('only the scale set without jobs is deleted', () => {
    const deleted = faults.flatMap((fault) =>
      fault.what === 'delete scale set' ? [fault.scaleSet] : [],
    );

    expect(new Set(deleted)).toEqual(new Set(['set-4']));
  });
});

test('the gate strikes each service in each way, with an outage and lies about every call', async () => {
  const gate = await readFile(new URL('../../.ci/run', import.meta.url), 'utf8');
  const [, seed, minutes] = /chaos -- --seed (\d+) --minutes ([\d.]+)/.exec(gate) ?? [];
  const instances = ['listener', 'provisioner', 'janitor'].map((name) => `${name}-0`);
  const steps = schedule({
    ...options,
    seed: Number(seed),
    lengthMs: Number(minutes) * 60_000,
    instances: [...instances, 'listener-1', 'listener-2', 'provisioner-1', 'janitor-1'],
    githubOutages: true,
    providerLies: true,
  });
  const struck = strikes(steps).map(({ how, victim }) => `${how} ${victim.replace(/-\d/, '')}`);
  const lies = steps.flatMap((step) => (step.kind === 'lie' ? [callOf(step.lie)] : []));

  expect(new Set(struck).size).toBe(3 * targets.length);
  expect(steps.some((step) => step.kind === 'fault' && isOutage(step.fault))).toBe(true);
  expect(new Set(lies)).toEqual(new Set(calls));
});

test('a part of a run begins at once, with what begins in it', () => {
  const steps = [{ atMs: 100 }, { atMs: 200 }, { atMs: 299 }, { atMs: 300 }];

  expect(cut(steps, { fromMs: 200, toMs: 300 })).toEqual([{ atMs: 0 }, { atMs: 99 }]);
  expect(cut(steps, undefined)).toEqual(steps);
});

test('what is away is not struck before it is back, and nothing begins after the end', () => {
  const steps = schedule(options);
  const back = new Map<string, number>();

  for (const { victim, atMs, backAfterMs } of strikes(steps)) {
    expect(atMs).toBeGreaterThan(back.get(victim) ?? 0);
    back.set(victim, atMs + backAfterMs);
  }
  expect(steps.length).toBeGreaterThan(200);
  expect(steps.every(({ atMs }) => atMs < options.lengthMs)).toBe(true);
  expect(steps.map(({ atMs }) => atMs)).toEqual(steps.map(({ atMs }) => atMs).toSorted(byValue));
});

describe('outages and lies', () => {
  const wanted = { ...options, lengthMs: 1_200_000, githubOutages: true, providerLies: true };
  const all = schedule(wanted);
  const outages = all.flatMap((step) =>
    step.kind === 'fault' && isOutage(step.fault) ? [{ atMs: step.atMs, fault: step.fault }] : [],
  );
  const lies = all.flatMap((step) => (step.kind === 'lie' ? [step] : []));

  test('change nothing about the rest', () => {
    const rest = all.filter(
      (step) => step.kind === 'strike' || (step.kind === 'fault' && !isOutage(step.fault)),
    );

    expect(rest).toEqual(schedule({ ...options, lengthMs: 1_200_000 }));
  });

  test('of GitHub leave time between them and are over at the end', () => {
    expect(outages.length).toBeGreaterThan(4);
    for (const [index, { atMs, fault }] of outages.entries()) {
      const next = outages[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
      expect(fault.forMs).toBeGreaterThanOrEqual(20_000);
      expect(fault.forMs).toBeLessThanOrEqual(180_000);
      expect(next - atMs - fault.forMs).toBeGreaterThanOrEqual(60_000);
      expect(atMs + fault.forMs).toBeLessThanOrEqual(wanted.lengthMs);
    }
  });

  test('of the provider are about every call, to those who have a provider, with pauses', () => {
    expect(new Set(lies.map(({ lie }) => callOf(lie)))).toEqual(new Set(calls));
    expect(new Set(lies.flatMap(({ lie }) => lie.whom))).toEqual(
      new Set(['provisioner-0', 'janitor-0']),
    );
    for (const call of calls) {
      const about = lies.filter(({ lie }) => callOf(lie) === call);
      for (const [index, { atMs, lie }] of about.entries()) {
        const next = about[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
        expect(lie.forMs).toBeLessThanOrEqual(120_000);
        expect(next - atMs - lie.forMs).toBeGreaterThanOrEqual(20_000);
        expect(atMs + lie.forMs).toBeLessThanOrEqual(wanted.lengthMs);
      }
    }
  });
});

function byValue(a: number, b: number): number {
  return a - b;
}
