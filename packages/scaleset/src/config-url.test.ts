import { ConfigError } from '@baton/shared/errors';
import { describe, expect, test } from 'vitest';
import { describeScope, parseConfigUrl } from './config-url.ts';

describe('parseConfigUrl', () => {
  const registration = 'actions/runners/registration-token';

  test.each([
    [
      'https://github.com/acme',
      'organization',
      'https://api.github.com',
      `/orgs/acme/${registration}`,
    ],
    [
      'https://github.com/acme//',
      'organization',
      'https://api.github.com',
      `/orgs/acme/${registration}`,
    ],
    [
      'https://www.github.com/acme/web',
      'repository',
      'https://api.github.com',
      `/repos/acme/web/${registration}`,
    ],
    [
      'https://github.com/enterprises/corp',
      'enterprise',
      'https://api.github.com',
      `/enterprises/corp/${registration}`,
    ],
    [
      'https://corp.ghe.com/acme',
      'organization',
      'https://api.corp.ghe.com',
      `/orgs/acme/${registration}`,
    ],
    [
      'http://github.localhost/acme',
      'organization',
      'http://api.github.localhost',
      `/orgs/acme/${registration}`,
    ],
    [
      'https://ghes.corp.net/acme',
      'organization',
      'https://ghes.corp.net/api/v3',
      `/orgs/acme/${registration}`,
    ],
    [
      'https://ghes.corp.net:8443/a/b.c',
      'repository',
      'https://ghes.corp.net:8443/api/v3',
      `/repos/a/b.c/${registration}`,
    ],
    [
      'http://127.0.0.1:4000/acme',
      'organization',
      'http://127.0.0.1:4000/api/v3',
      `/orgs/acme/${registration}`,
    ],
    [
      'https://notghe.com.evil.net/acme',
      'organization',
      'https://notghe.com.evil.net/api/v3',
      `/orgs/acme/${registration}`,
    ],
  ])('%s is an %s at %s', (text, scope, restBaseUrl, registrationTokenPath) => {
    expect(parseConfigUrl(text)).toMatchObject({ scope, restBaseUrl, registrationTokenPath });
  });

  test.each([
    ['', 'not an http(s) URL'],
    ['github.com/acme', 'not an http(s) URL'],
    ['ftp://github.com/acme', 'not an http(s) URL'],
    ['https://github.com', 'names no organization'],
    ['https://github.com/enterprises', 'names no organization'],
    ['https://github.com/orgs/acme', 'names no organization'],
    ['https://github.com/a/b/c', 'names no organization'],
    ['https://github.com/a//b', 'names no organization'],
    ['https://github.com/a%2Fb', 'names no organization'],
    ['http://github.com/acme', 'unencrypted'],
    ['https://me:hunter2@github.com/acme', 'must not carry'],
    ['https://github.com/acme?x=hunter2', 'must not carry'],
    ['https://github.com/acme#x', 'must not carry'],
  ])('refuses %s: %s', (text, problem) => {
    const parse = () => parseConfigUrl(text);

    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(problem);
    expect(parse).not.toThrow('hunter2');
  });

  test('keeps the URL without the slashes at its end, and reads www.github.com as github.com', () => {
    const read = parseConfigUrl(' https://www.github.com/acme/web/ ');

    expect(read).toMatchObject({ url: 'https://www.github.com/acme/web', host: 'github.com' });
    expect(describeScope(read)).toBe('repository acme/web');
  });
});
