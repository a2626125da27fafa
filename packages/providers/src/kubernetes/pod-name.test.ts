import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPodName, labelValue, podName } from './pod-name.ts';

describe('podName', () => {
  test("is the runner's own name where that is a pod's name and ends with the id", () => {
    const name = podName({ runnerName: 'linux-prod1-7f3a9c', runnerId: '7f3a9c' });

    expect(name).toBe('linux-prod1-7f3a9c');
  });

  test.each([
    [
      'capitals and dots',
      { runnerName: 'Linux.X64-7f', runnerId: '7f' },
      /^linux-x64-7f-[0-9a-f]{10}$/,
    ],
    ['64 characters', { runnerName: `a${'b'.repeat(63)}`, runnerId: 'b' }, /^ab{51}-[0-9a-f]{10}$/],
    ['nothing that a pod may have', { runnerName: '___', runnerId: '_' }, /^runner-[0-9a-f]{10}$/],
    ['another id', { runnerName: 'linux-7f', runnerId: '8a' }, /^linux-7f-[0-9a-f]{10}$/],
  ])('is cut and hashed for %s', (_what, runner, expected) => {
    expect(podName(runner)).toMatch(expected);
  });

  test('is always a pod name, the same for the same runner, another for another', () => {
    const runner = fc.record({ runnerName: fc.string({ minLength: 1 }), runnerId: fc.string() });
    fc.assert(
      fc.property(runner, runner, (a, b) => {
        expect(isPodName(podName(a))).toBe(true);
        expect(podName({ ...a })).toBe(podName(a));
        const isSame = a.runnerName === b.runnerName && a.runnerId === b.runnerId;
        if (a.runnerName !== b.runnerName || !isSame) expect(podName(a)).not.toBe(podName(b));
      }),
    );
  });
});

test('labelValue is one that the API server takes, whatever the text', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(labelValue(text)).toMatch(/^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/);
      expect(labelValue(text).length).toBeLessThanOrEqual(63);
    }),
  );
});
