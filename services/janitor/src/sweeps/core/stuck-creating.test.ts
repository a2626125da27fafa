import { aRunner } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { stuckCreating } from './stuck-creating.ts';
import { anInstance, at0And, findLast, look, told, until } from './testing/scene.ts';

const hour = 3_600_000;
const creator = { v: 1, identity: 'provisioner-0', incarnation: 'a' } as const;
const creating = aRunner({ state: 'creating', creator });

describe('a runner that is creating', () => {
  test('is stuck after an hour, and its compute goes when GitHub lets it go', () => {
    const [finding] = findLast(stuckCreating, until(hour, { runners: [creating] }));

    expect(told(finding ? [finding] : [])).toEqual([
      { mark: 'r1', reason: 'stuck', gate: 'github' },
    ]);
    expect(finding).toMatchObject({
      mark: {
        text: 'its creation has neither succeeded nor failed for 60 min',
        evidence: {
          since: '2026-01-01T00:00:00.010Z',
          looks: 13,
          views: [{ view: 'records' }, { view: 'instances of local', count: 0 }],
        },
      },
    });
  });

  test('is left for twice the time that its provider may take', () => {
    const scene = { runners: [creating], provider: { createTimeoutMs: hour } };

    expect(findLast(stuckCreating, until(2 * hour - 1, scene))).toEqual([]);
    expect(findLast(stuckCreating, until(2 * hour, scene))).toHaveLength(1);
  });

  test('begins anew when it was put off and is created again', () => {
    const again = { ...creating, stateAt: '2026-01-01T00:50:00.000Z' };
    const scenes = until(hour, { runners: [creating] }).map((scene) =>
      scene.atMs < hour ? scene : { ...scene, runners: [again] },
    );

    expect(findLast(stuckCreating, scenes)).toEqual([]);
  });

  test('is left while its provider cannot be listed, or is another host’s', () => {
    const failed = until(hour, { runners: [creating], instances: 'failed' as const });
    const elsewhere = until(hour, {
      runners: [{ ...creating, hostId: 'other' }],
      provider: { hostId: 'here' },
    });

    expect(look(stuckCreating, failed).at(-1)).toMatchObject({
      findings: [],
      lookedAt: 0,
      left: {},
    });
    expect(look(stuckCreating, elsewhere).at(-1)).toMatchObject({ findings: [], left: {} });
  });
});

describe('a runner that is requested', () => {
  const requested = aRunner();

  test('waits for as long as its scale set is declared', () => {
    expect(findLast(stuckCreating, until(10 * hour, { runners: [requested] }))).toEqual([]);
  });

  test.each([
    { what: 'untouched', runner: requested, gate: 'none' },
    { what: 'put off after it was begun', runner: { ...requested, creator }, gate: 'github' },
    { what: 'known to GitHub', runner: { ...requested, githubRunnerId: 7 }, gate: 'github' },
  ])('that nobody declares for 10 min goes, $what: gate $gate', ({ runner, gate }) => {
    const scenes = at0And(600_000, { runners: [runner], specs: [] });

    expect(told(findLast(stuckCreating, scenes))).toEqual([{ mark: 'r1', reason: 'stuck', gate }]);
  });

  test('goes by GitHub’s word when it runs after all: its record is an old copy', () => {
    const instances = [anInstance(requested)];
    const scenes = at0And(600_000, { runners: [requested], specs: [], instances });

    expect(told(findLast(stuckCreating, scenes))).toMatchObject([{ gate: 'github' }]);
  });
});
