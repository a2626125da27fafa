import { describe, expect, test } from 'vitest';
import {
  controllerIdOf,
  formatInstanceId,
  nameUuid,
  parseInstanceId,
  poolIdOf,
  runnerIdIn,
} from './identity.ts';

describe('identity', () => {
  test('makes version 5 UUIDs, as RFC 9562 shows one', () => {
    const dns = Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex');

    expect(nameUuid(dns, 'www.example.com')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
  });

  test('never changes the ids by which instances in a cloud are known as ours', () => {
    expect(controllerIdOf('prod')).toBe(controllerIdOf('prod'));
    expect([controllerIdOf('prod'), poolIdOf('prod', 'linux-1')]).toMatchInlineSnapshot(`
      [
        "915e8a59-be2e-5800-9cfd-49e4efc62ec9",
        "d0b0526e-90a0-5830-8c06-499b73b097d5",
      ]
    `);
  });

  test('gives no two installations or scale sets the same', () => {
    const ids = [
      controllerIdOf('prod'),
      controllerIdOf('test'),
      poolIdOf('prod', 'linux-1'),
      poolIdOf('prod', 'linux-2'),
      poolIdOf('test', 'linux-1'),
    ];

    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each([
    ['linux-prod-abc23', 'abc23'],
    ['a-prod-b-prod-abc23', 'abc23'],
    ['linux-other-abc23', undefined],
    ['linux-prod-', undefined],
    ['-prod-abc23', undefined],
    ['garm-xyz', undefined],
  ])('%s is the runner %s of the installation prod', (name, runnerId) => {
    expect(runnerIdIn(name, 'prod')).toBe(runnerId);
  });

  test('an instance id says all that a command needs, slashes of the provider included', () => {
    const address = {
      scaleSetId: 'linux-1',
      runnerName: 'linux-prod-abc23',
      providerId: '/subscriptions/1/machines/a',
    };

    expect(parseInstanceId(formatInstanceId(address))).toEqual(address);
    expect(parseInstanceId('never-existed')).toBeUndefined();
  });
});
