import { ConfigError } from '@baton/shared/errors';
import { describe, expect, test } from 'vitest';
import { loadRealGitHub, runnerCommand } from './real-github.ts';

const env = {
  BATON_GITHUB_CONFIG_URL: 'https://github.com/acme',
  BATON_GITHUB_TOKEN: 'ghp_secret',
  BATON_RUNNER_DIR: '/opt/runner',
};

describe('loadRealGitHub', () => {
  test('is for the simulator when no config URL is given', () => {
    expect(loadRealGitHub({ BATON_SCALE_SET: 'linux' })).toBeUndefined();
  });

  test('asks for the config URL when something else names the real GitHub', () => {
    const forgotten = () => loadRealGitHub({ BATON_GITHUB_TOKEN: 'ghp_secret' });

    expect(forgotten).toThrow('BATON_GITHUB_TOKEN is for the real GitHub');
    expect(forgotten).not.toThrow('ghp_secret');
  });

  test('reads everything', () => {
    const real = loadRealGitHub(env);

    expect(real).toMatchObject({ runnerDir: '/opt/runner', scaleSet: 'baton-local' });
    expect(real?.configUrl.names).toEqual(['acme']);
    expect(real?.token.reveal()).toBe('ghp_secret');
  });

  test('says what is missing, and where to get a runner', () => {
    const load = () => loadRealGitHub({ BATON_GITHUB_CONFIG_URL: 'https://github.com/acme' });

    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/BATON_GITHUB_TOKEN: is not set .*or BATON_GITHUB_TOKEN_FILE/);
    expect(load).toThrow(/BATON_RUNNER_DIR: is not set .*github\.com\/actions\/runner\/releases/);
  });

  test('needs no runner program where runners are containers, and takes the name of an image', () => {
    const { BATON_RUNNER_DIR: _, ...other } = env;

    const real = loadRealGitHub({ ...other, BATON_RUNNER_IMAGE: 'acme/runner:2' }, 'docker');

    expect(real?.runnerDir).toBeUndefined();
    expect(real?.runnerImage).toBe('acme/runner:2');
  });

  test('names the variable of a malformed URL', () => {
    const load = () => loadRealGitHub({ ...env, BATON_GITHUB_CONFIG_URL: 'github.com/acme' });

    expect(load).toThrow(/^BATON_GITHUB_CONFIG_URL: .*not an http\(s\) URL/);
  });

  test('every runner gets a copy of its own, whatever the folder is called', () => {
    const real = loadRealGitHub({ ...env, BATON_RUNNER_DIR: '/opt/my $runner' });

    expect(runnerCommand(real?.runnerDir ?? '')).toEqual([
      '/bin/sh',
      '-c',
      expect.stringContaining('cp -a --reflink=auto "$1/." .'),
      'runner',
      '/opt/my $runner',
    ]);
  });
});
