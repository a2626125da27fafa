import { describe, expect, test } from 'vitest';
import { readInstance, readInstances, toInstance } from './provider-instance.ts';

const context = { installationId: 'prod', scaleSetId: 'linux-1', firstSeenAt: 'then' };
const found = { provider_id: 'i-1', name: 'linux-prod-abc', status: 'running' };
const fault = (text: string) => Buffer.from(text).toString('base64');

describe('readInstance', () => {
  test('passes over keys that the port has no use for', () => {
    const text = JSON.stringify({ ...found, os_type: 'linux', addresses: [], future: 1 });

    expect(readInstance('GetInstance', text)).toEqual(found);
  });

  test.each([
    ['not JSON', 'GetInstance succeeded with a wrong answer: stdout is not JSON'],
    ['', 'stdout is not JSON'],
    ['{"name":"a","status":"running"}', 'provider_id'],
    [JSON.stringify({ ...found, name: '' }), 'name'],
  ])('refuses %j', (text, problem) => {
    expect(() => readInstance('GetInstance', text)).toThrow(problem);
  });
});

describe('readInstances', () => {
  test('takes an empty list in both spellings', () => {
    expect([readInstances('ListInstances', '[]'), readInstances('ListInstances', 'null')]).toEqual([
      [],
      [],
    ]);
  });

  test('refuses a list with one element that it cannot understand, and says which', () => {
    const text = JSON.stringify([found, { ...found, name: undefined }]);

    expect(() => readInstances('ListInstances', text)).toThrow('at [1].name');
  });
});

describe('toInstance', () => {
  test('shows what the protocol carries, and does not make up the rest', () => {
    expect(toInstance(found, context)).toEqual({
      instanceId: 'linux-1/linux-prod-abc/i-1',
      runnerId: 'abc',
      runnerName: 'linux-prod-abc',
      scaleSetId: 'linux-1',
      generation: 'unknown',
      createdAt: 'then',
      state: 'running',
    });
  });

  test('knows nothing of an instance that another installation named', () => {
    expect(toInstance({ ...found, name: 'linux-test-abc' }, context)).toBeUndefined();
  });

  test.each([
    ['stopped', undefined, { state: 'exited', exitCode: 0 }],
    [
      'stopped',
      'disk full',
      { state: 'exited', problem: { class: 'transient', text: 'disk full' } },
    ],
    [
      'error',
      'image x not found',
      { state: 'exited', problem: { class: 'image', text: 'image x not found' } },
    ],
    ['error', undefined, { state: 'exited', problem: { class: 'transient' } }],
    ['unknown', undefined, { state: 'starting' }],
    ['pending_create', undefined, { state: 'starting' }],
    [
      'running',
      'quota is nearly used up',
      { state: 'running', problem: { class: 'quota', text: 'quota is nearly used up' } },
    ],
  ])('%s with the fault %j', (status, text, shown) => {
    const fields = text === undefined ? {} : { provider_fault: fault(text) };

    const instance = toInstance({ ...found, status, ...fields }, context);

    expect(instance).toMatchObject(shown);
    expect(instance && 'exitCode' in instance).toBe('exitCode' in shown);
  });
});
