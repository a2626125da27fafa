import { expect, test } from 'vitest';
import { isEnterpriseServer } from './enterprise-server.ts';

test.each([
  ['https://github.com/acme', false],
  ['https://www.github.com/acme/app', false],
  ['https://acme.ghe.com/acme', false],
  ['https://github.acme.example/acme', true],
  ['http://127.0.0.1:8080/acme', true],
])('%s is an Enterprise Server: %s', (url, expected) => {
  expect(isEnterpriseServer(url)).toBe(expected);
});
