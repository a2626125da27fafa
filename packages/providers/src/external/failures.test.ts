import { describe, expect, test } from 'vitest';
import { classOfText, excerpt, failureOf, isDuplicate } from './failures.ts';

const ended = { exitCode: 1, stdout: '', stderr: '' };

describe('failureOf', () => {
  test.each([
    ['QuotaExceeded: Operation could not be completed', 'quota'],
    ['You have requested more vCPU capacity: VcpuLimitExceeded', 'quota'],
    ['InsufficientInstanceCapacity', 'quota'],
    ['No valid host was found', 'quota'],
    ['image ubuntu-99 not found', 'image'],
    ['InvalidAMIID.NotFound', 'image'],
    ['403 Forbidden', 'denied'],
    ['failed to validate extra specs: Additional property x', 'invalid-settings'],
    ['dial tcp: i/o timeout', 'transient'],
    ['', 'transient'],
  ])('%j is of the class %s', (stderr, errorClass) => {
    expect(classOfText(stderr)).toBe(errorClass);
    expect(failureOf('CreateInstance', { ...ended, stderr }, []).class).toBe(errorClass);
  });

  test('takes exit code 30 for what it means', () => {
    const failure = failureOf('ListInstances', { ...ended, exitCode: 30, stderr: 'no pool' }, []);

    expect(failure).toMatchObject({
      class: 'not-found',
      message: 'ListInstances ended with exit code 30: no pool',
    });
  });

  test('says what was on stdout when stderr is empty, and that it was killed', () => {
    const failure = failureOf('GetInstance', { ...ended, exitCode: undefined, stdout: 'oh' }, []);

    expect(failure.message).toBe('GetInstance was killed: oh');
  });

  test('keeps the end of a long text', () => {
    const { message } = failureOf(
      'GetInstance',
      { ...ended, stderr: `${'x'.repeat(9_000)}why` },
      [],
    );

    expect(message).toMatch(/…x+why$/);
    expect(message.length).toBeLessThan(1_600);
  });

  test('has none of the secrets, however they are spelled', () => {
    const token = 'ey"J.to\\ken';
    const base64 = Buffer.from(token).toString('base64');
    const text = excerpt(`${token} ${JSON.stringify({ token })} ${base64} rest`, [token]);

    expect(text).toBe('[secret] {"token":"[secret]"} [secret] rest');
  });
});

test.each([
  [{ ...ended, exitCode: 31 }, true],
  [{ ...ended, stderr: 'pods "linux-1" already exists' }, true],
  [{ ...ended, exitCode: 0, stderr: 'network already exists' }, false],
  [ended, false],
])('%o is a duplicate: %s', (each, duplicate) => {
  expect(isDuplicate(each)).toBe(duplicate);
});
