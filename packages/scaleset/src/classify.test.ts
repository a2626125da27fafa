import { describe, expect, test } from 'vitest';
import { errorFromResponse, type StatusMeaning } from './classify.ts';

const nowMs = Date.UTC(2026, 0, 1);
const runtime = 'GitHub.Actions.Runtime.WebApi.';

function classify(
  status: number,
  body: unknown,
  { meaning, headers = {} }: { meaning?: StatusMeaning; headers?: Record<string, string> } = {},
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = { status, text, header: (name: string) => headers[name] };
  const redact = (value: string) => value.replaceAll('s3cret', '[secret]');
  return errorFromResponse(response, { what: 'try', host: 'h', nowMs, meaning, redact });
}

describe('errorFromResponse', () => {
  test.each([
    [409, 'RunnerScaleSetSessionConflictException', 'session-conflict'],
    [400, 'RunnerScaleSetSessionExpiredException', 'session-gone'],
    [404, 'RunnerScaleSetNotFoundException', 'scale-set-not-found'],
    [400, 'RunnerScaleSetExistsException', 'scale-set-exists'],
    [409, 'AgentExistsException', 'runner-exists'],
    [404, 'AgentNotFoundException', 'runner-not-found'],
    [400, 'JobStillRunningException', 'job-still-running'],
    [401, 'InvalidTokenException', 'unauthorized'],
    [404, 'RunnerAdminException', 'not-found'],
    [400, 'SomethingNewException', 'refused'],
  ])('%i %s is %s', (status, typeName, kind) => {
    const error = classify(status, { typeName: `${runtime}${typeName}, Assembly`, message: 'm' });

    expect(error).toMatchObject({ kind, typeName, status });
  });

  test.each([
    [401, 'unauthorized', false],
    [403, 'forbidden', false],
    [404, 'not-found', false],
    [408, 'unavailable', true],
    [429, 'rate-limited', true],
    [500, 'unavailable', true],
    [503, 'unavailable', true],
    [302, 'refused', false],
    [422, 'refused', false],
  ])('a bare %i is %s', (status, kind, retryable) => {
    expect(classify(status, '')).toMatchObject({ kind, retryable });
  });

  test.each([
    ['The actions runner scaleset web already has an active session.', undefined],
    ['The actions runner scaleset web already has an active session for owner host-1.', 'host-1'],
  ])('reads a conflict from its text alone: %s', (message, ownerText) => {
    for (const body of [{ message }, message, `\uFEFF${JSON.stringify({ message })}`]) {
      expect(classify(409, body)).toMatchObject({ kind: 'session-conflict', ownerText });
    }
  });

  test('a 409 means what the call says, whatever the text', () => {
    const text = 'web already has an active session';

    expect(classify(409, text, { meaning: { conflict: 'runner-exists' } }).kind).toBe(
      'runner-exists',
    );
    expect(classify(409, '', { meaning: { conflict: 'session-conflict' } }).kind).toBe(
      'session-conflict',
    );
  });

  test('a 404 on a session means that the session is gone', () => {
    const body = { typeName: `${runtime}RunnerAdminException`, message: 'not in redis' };

    expect(classify(404, body, { meaning: { notFound: 'session-gone' } }).kind).toBe(
      'session-gone',
    );
  });

  test('a byte order mark in front of the body is ignored', () => {
    const body = `\uFEFF${JSON.stringify({ typeName: 'X.JobStillRunningException', message: 'm' })}`;

    expect(classify(400, body).kind).toBe('job-still-running');
  });

  test.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': new Date(nowMs + 9_000).toUTCString() }, 9_000],
    [{ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(nowMs / 1000 + 5) }, 5_000],
  ])('a 403 with %j is a rate limit', (headers, retryAfterMs) => {
    expect(classify(403, '', { headers })).toMatchObject({ kind: 'rate-limited', retryAfterMs });
  });

  test.each([
    [503, 300_000],
    [429, 3_900_000],
  ])('a %i that asks for a day is believed for a while only', (status, retryAfterMs) => {
    const headers = { 'retry-after': '86400' };

    expect(classify(status, '', { headers })).toMatchObject({ retryAfterMs });
  });

  test('the ids for GitHub support are in text and details, secrets in neither', () => {
    const headers = { activityid: 'act-1', 'x-github-request-id': 'req-1' };

    const error = classify(400, { message: 'bad token s3cret' }, { headers });

    expect(error.message).toContain('act-1');
    expect(error.message).toContain('req-1');
    expect(error.details).toMatchObject({ activityId: 'act-1', requestId: 'req-1' });
    expect(error.message + JSON.stringify(error)).not.toContain('s3cret');
  });
});
