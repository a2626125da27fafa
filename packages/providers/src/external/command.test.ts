import { describe, expect, test } from 'vitest';
import { type Command, commandEnvironment, inheritedEnvironment } from './command.ts';

const surroundings = { controllerId: 'c', configFile: '/etc/p.toml', inherited: {} };
const always = { GARM_CONTROLLER_ID: 'c', GARM_PROVIDER_CONFIG_FILE: '/etc/p.toml' };
const pool = { poolId: 'p', extraSpecs: { disk: 10 } };
const specs = Buffer.from('{"disk":10}').toString('base64');

const commands: [Command, older: Record<string, string>, newer: Record<string, string>][] = [
  [{ name: 'CreateInstance', ...pool, input: '{}' }, { GARM_POOL_ID: 'p' }, {}],
  [{ name: 'ListInstances', ...pool }, { GARM_POOL_ID: 'p' }, {}],
  [
    { name: 'GetInstance', ...pool, instance: 'i' },
    { GARM_INSTANCE_ID: 'i' },
    { GARM_INSTANCE_ID: 'i' },
  ],
  [
    { name: 'DeleteInstance', ...pool, instance: 'i' },
    { GARM_INSTANCE_ID: 'i' },
    { GARM_INSTANCE_ID: 'i' },
  ],
];

describe('commandEnvironment', () => {
  test.each(commands)('has exactly what the protocol says for %o', (command, older, newer) => {
    const older_ = commandEnvironment(command, { ...surroundings, interfaceVersion: 'v0.1.0' });
    const newer_ = commandEnvironment(command, { ...surroundings, interfaceVersion: 'v0.1.1' });

    const named = { ...always, GARM_COMMAND: command.name };
    expect(older_).toEqual({ ...named, GARM_INTERFACE_VERSION: 'v0.1.0', ...older });
    expect(newer_).toEqual({
      ...named,
      GARM_INTERFACE_VERSION: 'v0.1.1',
      GARM_POOL_ID: 'p',
      GARM_POOL_EXTRASPECS: specs,
      ...newer,
    });
  });

  test('says null where there are no extra specs', () => {
    const command = { name: 'ListInstances', poolId: 'p', extraSpecs: undefined } as const;

    const env = commandEnvironment(command, { ...surroundings, interfaceVersion: 'v0.1.1' });

    expect(env.GARM_POOL_EXTRASPECS).toBe('bnVsbA==');
  });
});

describe('inheritedEnvironment', () => {
  test('hands on proxies and what starts as configured, and nothing else', () => {
    const env = {
      PATH: '/bin',
      HOME: '/root',
      HTTPS_PROXY: 'http://p',
      no_proxy: 'a',
      AWS_REGION: 'eu',
      BATON_NATS_PASSWORD: 'hunter2',
      AWS_EMPTY: undefined,
    };

    expect(inheritedEnvironment(env, ['AWS_'])).toEqual({
      HTTPS_PROXY: 'http://p',
      no_proxy: 'a',
      AWS_REGION: 'eu',
    });
  });

  test('never hands on what the protocol itself names', () => {
    expect(inheritedEnvironment({ GARM_COMMAND: 'x', GA: '1', GARMENT: 'y' }, ['GA'])).toEqual({
      GA: '1',
    });
  });
});
