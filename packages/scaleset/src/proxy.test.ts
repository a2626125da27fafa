import { Secret } from '@baton/shared/config';
import { expect, test } from 'vitest';
import { proxyFor, readExceptions, shownProxy } from './proxy.ts';

const https = new Secret('http://user:pw@secure.proxy:3128');
const http = new Secret('http://plain.proxy:3128');

function choose(url: string, noProxy = '') {
  const settings = { https, http, exceptions: readExceptions(noProxy) };
  return proxyFor(new URL(url), settings);
}

test('the protocol of the URL decides', () => {
  expect(choose('https://github.com')).toBe(https);
  expect(choose('http://ghes.local')).toBe(http);
  expect(proxyFor(new URL('https://github.com'), { http, exceptions: [] })).toBeUndefined();
});

test.each([
  ['https://github.com', '*'],
  ['https://github.com', 'example.com, github.com'],
  ['https://api.github.com', 'github.com'],
  ['https://api.github.com', '.github.com'],
  ['https://api.github.com', '*.github.com'],
  ['https://github.com', 'github.com:443'],
  ['https://GHES.local:8443', 'ghes.LOCAL:8443'],
  ['https://10.1.2.3', '10.0.0.0/8'],
  ['https://10.1.2.3', '10.1.2.3'],
  ['https://[fd00::1]', 'fd00::/8'],
  ['https://[fd00::1]', '[fd00::1]'],
])('%s goes directly with NO_PROXY %s', (url, noProxy) => {
  expect(choose(url, noProxy)).toBeUndefined();
});

test.each([
  ['https://github.com', 'hub.com'],
  ['https://github.com', '*.github.com'],
  ['https://github.com', 'github.com:8443'],
  ['https://11.1.2.3', '10.0.0.0/8'],
  ['https://github.com', '10.0.0.0/8'],
  ['https://10.1.2.3', '10.0.0.0/99'],
])('%s goes through the proxy with NO_PROXY %s', (url, noProxy) => {
  expect(choose(url, noProxy)).toBe(https);
});

test('a proxy is shown without its login', () => {
  expect(shownProxy(https)).toBe('http://secure.proxy:3128');
});
