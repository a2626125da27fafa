import { expect, test } from 'vitest';
import { baton } from './testing/setup.ts';

test.each([
  ['--help', /^Usage: baton .*Exit codes: 0 done/s],
  ['--version', /^\d+\.\d+\.\d+\n$/],
  ['apply --help', /--dry-run/],
])('%s prints to stdout and is not a failure', async (args, expected) => {
  const { code, stdout, stderr } = await baton(args);

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(expected);
});

test.each([
  'aply',
  'apply',
  'get',
  'get scaleset --ouput json',
  'get scalesets -o yaml',
  'delete scaleset linux --timeout soon',
  'topology apply --replicas 0',
  'describe',
])('wrong usage: %s', async (args) => {
  const { code, stdout, stderr } = await baton(args);

  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).not.toBe('');
});

test('tells every variable that is missing, without connecting', async () => {
  const env = { BATON_INSTALLATION_ID: '', BATON_NATS_PASSWORD: '' };

  const { code, stderr } = await baton('get scalesets', { env });

  expect(code).toBe(78);
  expect(stderr).toMatch(/BATON_NATS_PASSWORD: is not set.*\n.*BATON_INSTALLATION_ID: is not set/);
});
