import { describe, expect, test } from 'vitest';
import { doctorAnswerSchema, doctorRequestSchema } from './doctor.ts';

const from = { v: 1, service: 'listener', identity: 'listener-0', incarnation: 'abc' };

describe('the contract of the doctor', () => {
  test('fields that a later version adds are kept', () => {
    const finding = { check: 'token', outcome: 'ok', text: 'fine', tookMs: 3 };
    const answer = { ...from, kind: 'findings', findings: [finding], more: true };

    expect(doctorAnswerSchema.parse(answer)).toEqual(answer);
    expect(doctorRequestSchema.parse({ v: 1, timeoutMs: 20_000, deep: true })).toMatchObject({
      deep: true,
    });
  });

  test.each([
    ['a time that is too short', { v: 1, timeoutMs: 1 }],
    ['a time that is too long', { v: 1, timeoutMs: 3_600_000 }],
    ['another version', { v: 2, timeoutMs: 20_000 }],
  ])('%s is no question', (_what, request) => {
    expect(doctorRequestSchema.safeParse(request).success).toBe(false);
  });

  test('an outcome that is not known is no answer', () => {
    const findings = [{ check: 'token', outcome: 'perhaps', text: '' }];

    expect(doctorAnswerSchema.safeParse({ ...from, kind: 'findings', findings }).success).toBe(
      false,
    );
  });
});
