import { ConfigError } from '@baton/shared/errors';
import { describe, expect, test } from 'vitest';
import { loadProvisionerConfig } from '../config.ts';
import { Bootstrap } from './bootstrap.ts';
import { serviceName, unitFile } from './core/service-name.ts';

const env = {
  BATON_NATS_USER: 'provisioner',
  BATON_NATS_PASSWORD: 'p',
  BATON_INSTALLATION_ID: 'prod',
  BATON_CREDENTIALS_FILE: '/etc/c.yaml',
  BATON_PROVIDERS_FILE: '/etc/p.yaml',
};
const bootstrapEnv = {
  BATON_BOOTSTRAP_URL: 'https://baton.example.com/garm/',
  BATON_SEALING_KEY: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
};

describe('the configuration of the bootstrap', () => {
  test('is not needed where nobody wants it, and asked for where somebody does', () => {
    const bootstrap = new Bootstrap(loadProvisionerConfig(env));

    expect(() => bootstrap.port()).toThrow(ConfigError);
    expect(() => bootstrap.port()).toThrow(/BATON_BOOTSTRAP_URL.*BATON_SEALING_KEY/);
  });

  test('is read with the rest', () => {
    const config = loadProvisionerConfig({ ...env, ...bootstrapEnv });

    expect(config.bootstrapUrl).toBe('https://baton.example.com/garm');
    expect(config.sealingKeys?.currentId).toBe('k1');
  });

  test('is refused with its variables and without their values', () => {
    const wrong = { BATON_BOOTSTRAP_URL: 'ftp://x', BATON_SEALING_KEY: 'hunter2' };
    const load = () => loadProvisionerConfig({ ...env, ...wrong });

    expect(load).toThrow(/BATON_BOOTSTRAP_URL: .*\n.*BATON_SEALING_KEY: entry 1/s);
    expect(load).not.toThrow('hunter2');
  });
});

test.each([
  ['https://github.com/acme', 'actions.runner.acme'],
  ['https://github.com/acme/rocket', 'actions.runner.acme.rocket'],
  ['https://ghe.example.com/enterprises/big co', 'actions.runner.big-20co'],
])('the service of a runner of %s is %s', (url, name) => {
  expect(serviceName(url)).toBe(name);
});

test.each(['', 'Root', 'a b', '../x', 'x\nExecStart=/bin/sh'])('%j is no user', (user) => {
  expect(unitFile('linux-1', user)).toBeUndefined();
});
