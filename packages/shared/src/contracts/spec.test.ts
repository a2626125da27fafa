import { aDeclaration, aSpec } from '@baton/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  generationOf,
  scaleSetDeclarationSchema,
  scaleSetFileSchema,
  scaleSetIdOf,
  specSchema,
  tokenSchema,
} from './spec.ts';

const minimal = {
  name: 'linux',
  configUrl: 'https://github.com/acme',
  credential: 'github',
  provider: 'local',
};

describe('scaleSetDeclarationSchema', () => {
  test('fills in what an operator leaves out', () => {
    expect(scaleSetDeclarationSchema.parse(minimal)).toEqual({
      ...minimal,
      group: 'default',
      labels: [],
      minRunners: 0,
      maxRunners: 10,
      weight: 1,
      settings: {},
      bootstrapTimeoutSeconds: 1_200,
      spareAfterSeconds: 240,
      enabled: true,
      adopt: false,
    });
  });

  test.each([
    ['a key that does not exist', { maxRuners: 3 }, []],
    ['a name that is no path segment', { name: 'a/b' }, ['name']],
    ['a URL that is no web address', { configUrl: 'ftp://github.com/acme' }, ['configUrl']],
    ['a credential that is no token', { credential: 'My Credential' }, ['credential']],
    ['more runners than a plan can hold', { maxRunners: 10_001 }, ['maxRunners']],
    ['a negative minimum', { minRunners: -1 }, ['minRunners']],
    ['a minimum above the maximum', { minRunners: 4, maxRunners: 3 }, ['minRunners']],
    ['a fraction of a runner', { maxRunners: 1.5 }, ['maxRunners']],
    ['a prefix with an underscore', { runnerNamePrefix: 'a_b' }, ['runnerNamePrefix']],
    ['a label without text', { labels: [''] }, ['labels', 0]],
  ])('refuses %s', (_what, part, path) => {
    const { error } = scaleSetDeclarationSchema.safeParse({ ...minimal, ...part });

    expect(error?.issues.map((issue) => issue.path)).toEqual([path]);
  });

  test('a file declares at least one scale set', () => {
    expect(scaleSetFileSchema.safeParse({ scaleSets: [] }).success).toBe(false);
    expect(scaleSetFileSchema.safeParse({ scaleSets: [minimal] }).success).toBe(true);
  });
});

describe('specSchema', () => {
  test('keeps what a later version wrote, also in the declaration', () => {
    const spec = aSpec();
    const later = { ...spec, owner: 'team', declaration: { ...spec.declaration, warm: 3 } };

    expect(specSchema.parse(JSON.parse(JSON.stringify(later)))).toEqual(later);
  });

  test('refuses another version', () => {
    expect(specSchema.safeParse({ ...aSpec(), v: 2 }).success).toBe(false);
  });
});

describe('scaleSetIdOf', () => {
  test('is readable, and a token of a subject', () => {
    expect(scaleSetIdOf('Linux_X64.Large')).toMatch(/^linux-x64-large-[0-9a-f]{8}$/);

    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
        expect(tokenSchema.safeParse(scaleSetIdOf(name)).success).toBe(true);
      }),
    );
  });

  test('tells names apart that look alike', () => {
    const ids = ['a.b', 'a-b', 'a_b', 'A-b', '-a-b-'].map(scaleSetIdOf);

    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('generationOf', () => {
  test('is the same however the settings are ordered', () => {
    const one = generationOf(aDeclaration({ settings: { image: 'a', cpu: 2 } }));
    const other = generationOf(aDeclaration({ settings: { cpu: 2, image: 'a' } }));

    expect(other).toBe(one);
  });

  test('is the same however nested settings are ordered', () => {
    const one = generationOf(aDeclaration({ settings: { env: { A: '1', B: '2' } } }));
    const other = generationOf(aDeclaration({ settings: { env: { B: '2', A: '1' } } }));

    expect(other).toBe(one);
  });

  test.each([
    ['provider', aDeclaration({ provider: 'docker' })],
    ['a setting', aDeclaration({ settings: { image: 'b' } })],
    ['a nested setting', aDeclaration({ settings: { env: { A: '1' } } })],
  ])('changes with %s', (_what, changed) => {
    expect(generationOf(changed)).not.toBe(generationOf(aDeclaration()));
  });

  test('does not change with what does not shape a runner', () => {
    const changed = aDeclaration({ maxRunners: 99, labels: ['big'], enabled: false, adopt: true });

    expect(generationOf(changed)).toBe(generationOf(aDeclaration()));
  });
});
