import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { flagSchema, loadConfig, milliseconds, secretSchema } from './load-config.ts';
import { serviceVariables } from './service-config.ts';

const dir = mkdtempSync(join(tmpdir(), 'baton-config-'));
afterAll(() => rmSync(dir, { recursive: true }));

const variables = {
  url: { variable: 'APP_URL', schema: z.url().describe('where it is') },
  password: { variable: 'APP_PASSWORD', schema: secretSchema.describe('how to get in') },
  waitMs: { variable: 'APP_WAIT_MS', schema: milliseconds(500, 100) },
  loud: { variable: 'APP_LOUD', schema: flagSchema },
};
const good = { APP_URL: 'http://localhost', APP_PASSWORD: 'hunter2' };

describe('loadConfig', () => {
  test('reads and converts, with defaults for what is absent or empty', () => {
    const config = loadConfig(variables, { ...good, APP_WAIT_MS: '', APP_LOUD: 'true' });

    expect(config).toMatchObject({ url: 'http://localhost', waitMs: 500, loud: true });
    expect(config.password.reveal()).toBe('hunter2');
  });

  test('cannot be changed afterwards', () => {
    expect(Object.isFrozen(loadConfig(variables, good))).toBe(true);
  });

  test('reports every problem at once, by variable, with what it is for', () => {
    const failure = failureOf({ APP_URL: 'nowhere', APP_WAIT_MS: '50', APP_LOUD: 'perhaps' });

    expect(failure).toMatchObject({ code: 'config' });
    expect(failure.message.split('\n')).toEqual([
      'the configuration cannot be used:',
      '  APP_URL: Invalid URL (where it is)',
      '  APP_PASSWORD: is not set (how to get in)',
      '  APP_WAIT_MS: is 50; allowed is a whole number from 100 to 86400000',
      expect.stringContaining('  APP_LOUD: Invalid option'),
    ]);
  });

  test.each([
    ['abc', 'is not a number'],
    ['99', 'is 99'],
    ['100.5', 'is 100.5'],
    ['1e9', 'is 1000000000'],
  ])('says of %s what was found and what is allowed, once', (found, text) => {
    expect(
      failureOf({ ...good, APP_WAIT_MS: found })
        .message.split('\n')
        .slice(1),
    ).toEqual([`  APP_WAIT_MS: ${text}; allowed is a whole number from 100 to 86400000`]);
  });

  test('reports a file of certificates together with what else is wrong', () => {
    const wrong = { BATON_CA_FILE: aFile('no PEM'), BATON_HEALTH_PORT: 'http' };
    const missing = { BATON_CA_FILE: join(dir, 'nothing') };

    const attempt = (env: Env) => () => loadConfig(serviceVariables, env);

    expect(attempt(wrong)).toThrow(
      /BATON_CA_FILE: names a file without a certificate .*BATON_HEALTH_PORT: is not a number/s,
    );
    expect(attempt(missing)).toThrow(/BATON_CA_FILE: names a file that cannot be used \(ENOENT\)/);
  });

  test('never says a value', () => {
    const wrong = { APP_URL: 'secret1', APP_WAIT_MS: 'secret2', APP_LOUD: 'secret3' };

    const { message } = failureOf(wrong);

    expect(message).not.toContain('secret');
    expect(message).toContain('APP_WAIT_MS');
  });

  test('never says a value of what every service is configured with', () => {
    const values = Object.values(serviceVariables).map(({ variable }) => [variable, '!SECRET!']);

    const attempt = () => loadConfig(serviceVariables, Object.fromEntries(values) as Env);

    expect(attempt).toThrow(/BATON_INSTALLATION_ID.*BATON_LOG_LEVEL.*BATON_HEALTH_PORT/s);
    expect(attempt).not.toThrow('SECRET');
  });

  test('takes a value from the file that NAME_FILE names, without the final line break', () => {
    const file = aFile('from-file\n');

    const config = loadConfig(variables, { ...good, APP_PASSWORD_FILE: file });

    expect(config.password.reveal()).toBe('from-file');
  });

  test('an empty file counts as absent, as an empty variable does', () => {
    const config = loadConfig(variables, { ...good, APP_WAIT_MS_FILE: aFile('\n') });

    expect(config.waitMs).toBe(500);
    expect(failureOf({ ...good, APP_PASSWORD_FILE: aFile('') }).message).toContain(
      'APP_PASSWORD: is not set',
    );
  });

  test('names a file that is not there or cannot be read, and reports that variable once', () => {
    const missing = failureOf({ ...good, APP_PASSWORD_FILE: join(dir, 'nothing') }).message;
    const folder = failureOf({ ...good, APP_PASSWORD_FILE: dir }).message;

    expect(missing.split('\n').slice(1)).toEqual([
      `  APP_PASSWORD_FILE: there is no file ${join(dir, 'nothing')}`,
    ]);
    expect(folder.split('\n').slice(1)).toEqual([
      expect.stringContaining('  APP_PASSWORD_FILE: EISDIR'),
    ]);
  });
});

type Env = Record<string, string>;
let files = 0;

function aFile(content: string): string {
  files += 1;
  const path = join(dir, `value-${files}`);
  writeFileSync(path, content);
  return path;
}

function failureOf(env: Env): Error {
  try {
    loadConfig(variables, env);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('was not refused');
}
