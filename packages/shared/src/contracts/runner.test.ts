import { aRunner } from '@baton/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  nextRunnerName,
  runnerIdAlphabet,
  runnerIdLength,
  runnerIdOf,
  runnerKey,
  runnerName,
  runnerSchema,
} from './runner.ts';
import { installationIdSchema, scaleSetDeclarationSchema } from './spec.ts';

const prefixes = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9-]{0,35}$/);
const installations = fc.stringMatching(/^[a-z0-9]{1,12}$/);
const ids = fc.stringMatching(/^[a-z0-9]{1,13}$/);

describe('runnerIdOf', () => {
  test('finds the id in every name that was made by runnerName, and GitHub takes that name', () => {
    fc.assert(
      fc.property(prefixes, installations, ids, (prefix, installation, id) => {
        const name = runnerName(prefix, installation, id);

        expect(installationIdSchema.safeParse(installation).success).toBe(true);
        expect(runnerIdOf(name, installation)).toBe(id);
        expect(name.length).toBeLessThanOrEqual(64);
      }),
    );
  });

  test('knows nothing of the runners of another installation', () => {
    const name = runnerName('linux', 'blue', 'r1');

    expect(runnerIdOf(name, 'green')).toBeUndefined();
    expect(runnerIdOf(name, 'lue')).toBeUndefined();
    expect(runnerIdOf('my-own-runner', 'blue')).toBeUndefined();
  });

  test('every prefix that may be declared gives such a name', () => {
    const longest = 'a'.repeat(36);
    const declared = scaleSetDeclarationSchema.shape.runnerNamePrefix;

    expect(declared.safeParse(longest).success).toBe(true);
    expect(declared.safeParse(`${longest}a`).success).toBe(false);
  });
});

describe('nextRunnerName', () => {
  const ownIds = fc.stringMatching(new RegExp(`^[${runnerIdAlphabet}]{${runnerIdLength}}$`));
  const randoms = fc.array(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { minLength: 1 });

  test('keeps the id, is never the name before, and GitHub takes every one of them', () => {
    fc.assert(
      fc.property(prefixes, installations, ownIds, randoms, (prefix, installation, id, values) => {
        let index = 0;
        const random = () => values[index++ % values.length] ?? 0;
        let name = runnerName(prefix, installation, id);
        for (let attempt = 0; attempt < 4; attempt += 1) {
          const next = nextRunnerName(name, random);

          expect(next).not.toBe(name);
          expect(runnerIdOf(next, installation)).toBe(id);
          expect(next.length).toBeLessThanOrEqual(64);
          name = next;
        }
      }),
    );
  });

  test('differs from the one before even when chance does not', () => {
    const first = nextRunnerName('linux-test-abcdefghij', () => 0);
    const second = nextRunnerName(first, () => 0);

    expect([first, second]).toEqual(['linux-test-abcdefghij0aaa', 'linux-test-abcdefghij0bbb']);
    expect(runnerIdOf(second, 'other')).toBeUndefined();
  });
});

test('a runner has its key under its scale set', () => {
  expect(runnerKey('linux-1', 'r1')).toBe('linux-1.r1');
});

test('runnerSchema keeps what a later version wrote', () => {
  const record = { ...aRunner({ job: { jobId: 'j', startedAt: '2026-01-01T00:00:00Z' } }), gpu: 2 };

  expect(runnerSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
});

describe('runnerSchema', () => {
  test('keeps the reason of a mark that only a later version knows', () => {
    const mark = { reason: 'too-old', gate: 'github', by: 'janitor j-0', at: aRunner().createdAt };
    const written = { ...aRunner(), state: 'marked', mark };

    expect(runnerSchema.parse(written)).toEqual(written);
    expect(runnerSchema.safeParse({ ...written, mark: { ...mark, reason: 7 } }).success).toBe(
      false,
    );
  });
});
