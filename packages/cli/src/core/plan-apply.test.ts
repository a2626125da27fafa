import {
  generationOf,
  type ScaleSetDeclaration,
  type Spec,
  scaleSetDeclarationSchema,
  scaleSetIdOf,
} from '@baton/shared/contracts';
import type { Entry } from '@baton/shared/messaging';
import { describe, expect, test } from 'vitest';
import { changedSpec, planApply } from './plan-apply.ts';

const nowMs = Date.UTC(2026, 0, 2);

describe('planApply', () => {
  test('creates, updates and leaves alone', () => {
    const existing = [anEntry({ name: 'same' }), anEntry({ name: 'more' })];
    const declared = [
      declare({ name: 'same' }),
      declare({ name: 'more', maxRunners: 99 }),
      declare({ name: 'new' }),
    ];

    const { changes, problems } = planApply({ ...base, declared, existing });

    expect(problems).toEqual([]);
    expect(changes).toMatchObject([
      { action: 'unchanged', spec: { declaration: { name: 'same' } } },
      { action: 'updated', revision: 7, fields: ['maxRunners'] },
      { action: 'created', spec: { v: 1, installationId: 'test', deleting: false } },
    ]);
  });

  test('does not touch what the file does not name, unless it prunes', () => {
    const input = {
      ...base,
      declared: [declare({ name: 'a' })],
      existing: [anEntry({ name: 'b' })],
    };

    expect(planApply(input).changes.map(({ action }) => action)).toEqual(['created']);
    expect(planApply({ ...input, prune: true }).changes).toMatchObject([
      { action: 'created' },
      { action: 'deleting', revision: 7, spec: { deleting: true, declaration: { name: 'b' } } },
    ]);
  });

  test('does not begin a deletion twice', () => {
    const existing = [anEntry({ name: 'b' }, { deleting: true })];

    const { changes } = planApply({
      ...base,
      declared: [declare({ name: 'a' })],
      existing,
      prune: true,
    });

    expect(changes.map(({ action }) => action)).toEqual(['created', 'being deleted']);
  });

  test('refuses a scale set that is being deleted, and one that would move', () => {
    const existing = [anEntry({ name: 'a' }, { deleting: true }), anEntry({ name: 'b' })];
    const declared = [
      declare({ name: 'a' }),
      declare({ name: 'b', configUrl: 'https://github.com/other' }),
    ];

    const { problems } = planApply({ ...base, declared, existing });

    expect(problems).toEqual([
      expect.stringContaining('"a" is being deleted'),
      expect.stringContaining('cannot move to https://github.com/other'),
    ]);
  });

  test('leaves enable and disable alone when the file does not say enabled', () => {
    const existing = [anEntry({ name: 'a', enabled: false })];
    const silent = declare({ name: 'a' });

    expect(planApply({ ...base, declared: [silent], existing }).changes).toMatchObject([
      { action: 'unchanged' },
    ]);
    expect(
      planApply({ ...base, declared: [{ ...silent, saysEnabled: true }], existing }).changes,
    ).toMatchObject([{ action: 'updated', fields: ['enabled'] }]);
  });

  test('keeps fields that a newer version wrote, and drops known ones that the file dropped', () => {
    const entry = anEntry({ name: 'a', runnerNamePrefix: 'fast' });
    const value = {
      ...entry.value,
      extra: 1,
      declaration: { ...entry.value.declaration, newer: 3 },
    };

    const { changes } = planApply({
      ...base,
      declared: [declare({ name: 'a' })],
      existing: [{ ...entry, value }],
    });

    expect(changes).toMatchObject([
      { fields: ['runnerNamePrefix'], spec: { extra: 1, declaration: { newer: 3 } } },
    ]);
    expect(changes[0]?.spec.declaration).not.toHaveProperty('runnerNamePrefix');
  });

  test('a changed template has a new generation', () => {
    const declared = [declare({ name: 'a', settings: { image: 'new' } })];

    const { changes } = planApply({ ...base, declared, existing: [anEntry({ name: 'a' })] });

    expect(changes[0]?.spec.generation).toBe(
      generationOf(aDeclaration({ name: 'a', settings: { image: 'new' } })),
    );
    expect(changes).toMatchObject([{ fields: ['settings'] }]);
  });
});

test('a changed spec is newer than the one before, whatever the clock says', () => {
  const before = anEntry({ name: 'a' }).value;

  const changed = changedSpec(before, { deleting: true }, Date.parse(before.updatedAt) - 5_000);

  expect(Date.parse(changed.updatedAt)).toBe(Date.parse(before.updatedAt) + 1);
});

const base = { installationId: 'test', prune: false, nowMs };

function aDeclaration(part: Partial<ScaleSetDeclaration>): ScaleSetDeclaration {
  return scaleSetDeclarationSchema.parse({
    name: 'linux',
    configUrl: 'https://github.com/acme',
    credential: 'main',
    provider: 'local',
    ...part,
  });
}

function declare(part: Partial<ScaleSetDeclaration>) {
  return { declaration: aDeclaration(part), saysEnabled: false };
}

function anEntry(part: Partial<ScaleSetDeclaration>, more: Partial<Spec> = {}): Entry<Spec> {
  const declaration = aDeclaration(part);
  const scaleSetId = scaleSetIdOf(declaration.name);
  const value: Spec = {
    v: 1,
    installationId: 'test',
    scaleSetId,
    declaration,
    generation: generationOf(declaration),
    deleting: false,
    updatedAt: '2026-01-01T00:00:00.000Z',
    ...more,
  };
  return { key: scaleSetId, value, revision: 7, writtenAt: new Date(0) };
}
