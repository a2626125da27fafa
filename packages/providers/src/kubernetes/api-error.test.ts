import { describe, expect, test } from 'vitest';
import { errorFromAnswer, errorFromFailure } from './api-error.ts';

function answer(status: number, message: string, more: object = {}) {
  const text = JSON.stringify({ kind: 'Status', message, reason: 'X', code: status, ...more });
  return errorFromAnswer({ what: 'create pod', status, text });
}

const rights =
  'pods is forbidden: User "ci" cannot create resource "pods" in API group "" in the namespace "r"';
const terminating = { details: { causes: [{ reason: 'NamespaceTerminating' }] } };

describe('errorFromAnswer', () => {
  test.each([
    [400, 'unknown field "spec.x"', 'invalid-settings', {}],
    [401, 'Unauthorized', 'denied', {}],
    [403, rights, 'denied', {}],
    [403, 'pods "a" is forbidden: exceeded quota: few, requested: pods=1', 'quota', {}],
    [403, 'pods "a" is forbidden: violates PodSecurity "restricted"', 'invalid-settings', {}],
    [403, 'unable to create new content in namespace r', 'not-found', terminating],
    [404, 'namespaces "r" not found', 'not-found', {}],
    [409, 'Operation cannot be fulfilled', 'transient', {}],
    [422, 'Pod "a" is invalid', 'invalid-settings', {}],
    [429, 'too many requests', 'transient', {}],
    [500, 'etcdserver: request timed out', 'transient', {}],
    [503, 'the server is currently unable to handle the request', 'transient', {}],
  ])('%i %s is %s', (status, message, expected, more) => {
    const error = answer(status, message, more);

    expect(error).toMatchObject({ class: expected, status, reason: 'X' });
    expect(error.message).toBe(`create pod: ${message}`);
  });

  test.each([
    ['a page of a proxy', 502, '<html>Bad Gateway</html>', 'transient'],
    ['nothing', 403, '', 'denied'],
  ])('%s instead of a status is told by its number', (_what, status, text, expected) => {
    const error = errorFromAnswer({ what: 'list pods', status, text });

    expect(error).toMatchObject({ class: expected });
    expect(error.message).toBe(`list pods: the API server answered ${status}`);
  });

  test('reads how long to wait from the header, else from the body', () => {
    const text = JSON.stringify({ kind: 'Status', details: { retryAfterSeconds: 3 } });
    const of = (retryAfter?: string) =>
      errorFromAnswer({ what: 'x', status: 429, text, retryAfter }).retryAfterMs;

    expect(of('2')).toBe(2_000);
    expect(of()).toBe(3_000);
    expect(of('soon')).toBeUndefined();
  });
});

test('a failure without an answer may pass, and tells its cause', () => {
  const error = errorFromFailure('list pods', new Error('x', { cause: new Error('ECONNRESET') }));

  expect(error).toMatchObject({ class: 'transient', message: 'list pods: x: ECONNRESET' });
});
