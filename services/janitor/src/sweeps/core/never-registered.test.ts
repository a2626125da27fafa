import { aSpec } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { neverRegistered } from './never-registered.ts';
import {
  aLiving,
  anInstance,
  aRegistration,
  findLast,
  look,
  many,
  told,
  until,
} from './testing/scene.ts';

const specs = [aSpec({ declaration: { bootstrapTimeoutSeconds: 600 } })];
const deadlineMs = 900_000;
const starting = aLiving({ state: 'starting' });
const offline = aRegistration(starting, { status: 'offline' });

describe('a runner that does not come online', () => {
  test.each([
    { what: 'listed as offline', registrations: [offline] },
    { what: 'not listed', registrations: [] },
  ])('goes five minutes after its deadline, $what', ({ registrations }) => {
    const scene = { specs, registrations, runners: [{ ...starting, progress: 'pulling x' }] };

    expect(findLast(neverRegistered, until(deadlineMs - 1, scene))).toEqual([]);
    const [finding] = findLast(neverRegistered, until(deadlineMs, scene));
    expect(finding).toMatchObject({
      mark: {
        reason: 'registration-deadline',
        gate: 'github',
        text: 'it has been starting for 15 min and did not come online: pulling x',
      },
    });
  });

  test.each([
    { what: 'is online', part: { status: 'online' }, left: {} },
    { what: 'runs a job', part: { status: 'offline', busy: true }, left: {} },
    {
      what: 'has no status',
      part: { status: undefined, busy: undefined },
      left: { 'GitHub does not say whether it is online': 1 },
    },
  ])('stays when it $what', ({ part, left }) => {
    const registrations = [aRegistration(starting, part)];
    const scenes = until(deadlineMs, { specs, registrations, runners: [starting] });

    expect(look(neverRegistered, scenes).at(-1)).toMatchObject({ findings: [], left });
  });

  test('stays while GitHub cannot be asked, or nobody declares it', () => {
    const down = until(deadlineMs, {
      specs,
      registrations: 'failed' as const,
      runners: [starting],
    });
    const undeclared = until(deadlineMs, { specs: [], runners: [starting] });

    expect(findLast(neverRegistered, down)).toEqual([]);
    expect(findLast(neverRegistered, undeclared)).toEqual([]);
  });

  test('is given its whole time by each leader, whatever the clocks of other hosts say', () => {
    const longAgo = { ...starting, stateAt: '2020-01-01T00:00:00.000Z' };
    const scene = { specs, registrations: [offline], runners: [longAgo] };

    expect(findLast(neverRegistered, until(deadlineMs - 1, scene))).toEqual([]);
  });

  test('is not believed to be missing on a list without most of four', () => {
    const runners = many(4, (index) => aLiving({ runnerId: `r${index}`, state: 'starting' }));
    const scenes = until(deadlineMs, { specs, runners, registrations: [] });

    expect(look(neverRegistered, scenes).at(-1)).toMatchObject({
      findings: [],
      left: { 'the list is suspicious': 4 },
      problem: 'runners of https://github.com/acme as "github": 4 of 4 look wrong at once',
    });
  });
});

test('a job that was cancelled while its runner boots leaves the runner alone', () => {
  const booting = { specs, registrations: [offline], runners: [starting] };
  const idle = { ...starting, state: 'idle' as const, stateAt: '2026-01-01T00:10:00.000Z' };
  const online = { specs, registrations: [aRegistration(idle)], runners: [idle] };
  const scenes = [
    ...until(600_000, booting),
    ...until(1_800_000, { ...online, instances: [anInstance(idle)] }).map((scene) => ({
      ...scene,
      atMs: scene.atMs + 660_000,
    })),
  ];

  expect(told(findLast(neverRegistered, scenes))).toEqual([]);
});
