import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { refreshInMs } from './token-refresh.ts';

const now = Date.UTC(2026, 0, 1);
const seconds = now / 1_000;
const jwt = (claims: unknown) =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`;

describe('refreshInMs', () => {
  test.each([
    ['80 % of the life that a token tells', jwt({ iat: seconds, exp: seconds + 3_600 }), 2_880_000],
    ['the same by "not before"', jwt({ nbf: seconds, exp: seconds + 3_600 }), 2_880_000],
    ['the same when it only says when it ends', jwt({ exp: seconds + 3_600 }), 2_880_000],
    [
      'the same when our clock is wrong',
      jwt({ iat: seconds + 86_400, exp: seconds + 90_000 }),
      2_880_000,
    ],
    ['40 minutes for what is no JWT', 'opaque', 2_400_000],
    ['40 minutes for a JWT that does not say when it ends', jwt({ sub: 'x' }), 2_400_000],
    ['40 minutes for one that says it is over', jwt({ iat: seconds, exp: seconds }), 2_400_000],
    ['40 minutes for one whose claims are no JSON', 'a.b.c', 2_400_000],
    ['at least 10 seconds', jwt({ iat: seconds, exp: seconds + 1 }), 10_000],
    ['at most a day', jwt({ iat: seconds, exp: seconds + 1e9 }), 86_400_000],
  ])('is %s', (_what, token, ms) => {
    expect(refreshInMs(token, now)).toBe(ms);
  });

  test('is a time that can be waited for, whatever the token is', () => {
    const tokens = fc.oneof(
      fc.string(),
      fc.jsonValue().map(jwt),
      fc.record({ exp: fc.double() }).map(jwt),
    );

    fc.assert(
      fc.property(tokens, (token) => {
        const ms = refreshInMs(token, now);

        expect(ms).toBeGreaterThanOrEqual(10_000);
        expect(ms).toBeLessThanOrEqual(86_400_000);
      }),
    );
  });
});
