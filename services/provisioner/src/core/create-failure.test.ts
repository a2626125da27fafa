import { ProviderError, type ProviderErrorClass } from '@baton/providers';
import { GitHubApiError, type GitHubErrorKind } from '@baton/scaleset';
import { AppError, ConfigError, TimeoutError } from '@baton/shared/errors';
import { describe, expect, test } from 'vitest';
import {
  type CreateVerdict,
  judgeCreateFailure,
  mayHaveStarted,
  postponedForMs,
} from './create-failure.ts';

const github = (kind: GitHubErrorKind, retryAfterMs?: number) =>
  new GitHubApiError(`GitHub says ${kind}`, { kind, host: 'github.com', retryAfterMs });

describe('a failure of GitHub, before there is a JIT config,', () => {
  test.each<[GitHubErrorKind, CreateVerdict['kind']]>([
    ['rate-limited', 'postpone'],
    ['unavailable', 'postpone'],
    ['degraded', 'postpone'],
    ['scale-set-not-found', 'postpone'],
    ['unauthorized', 'postpone'],
    ['forbidden', 'postpone'],
    ['not-found', 'postpone'],
    ['runner-exists', 'rename'],
    ['refused', 'fail'],
    ['session-conflict', 'fail'],
    ['session-gone', 'fail'],
    ['scale-set-exists', 'fail'],
    ['runner-not-found', 'fail'],
    ['job-still-running', 'fail'],
  ])('%s: %s', (kind, verdict) => {
    const judged = judgeCreateFailure(github(kind), 'mint');

    expect(judged).toMatchObject({
      failure: { class: kind, text: `GitHub says ${kind}` },
      verdict: { kind: verdict },
      blamesProvider: false,
    });
    expect(mayHaveStarted(kind)).toBe(false);
  });

  test.each<[string, unknown, CreateVerdict['kind']]>([
    ['its own deadline', new TimeoutError('too long'), 'postpone'],
    ['a credential that is not there', new ConfigError('no such credential'), 'postpone'],
    [
      'a scale set that is not registered',
      new AppError('github', 'x', { retryable: true }),
      'postpone',
    ],
    ['an answer of another shape', new AppError('contract', 'x'), 'fail'],
    ['a bug', new TypeError('x is undefined'), 'fail'],
  ])('%s', (_what, error, verdict) => {
    expect(judgeCreateFailure(error, 'mint').verdict.kind).toBe(verdict);
  });

  test('waits as long as GitHub asks, and longer when it has waited often', () => {
    const limited = judgeCreateFailure(github('rate-limited', 40_000), 'mint').verdict;
    const away = judgeCreateFailure(github('unavailable'), 'mint').verdict;
    if (limited.kind !== 'postpone' || away.kind !== 'postpone') throw new Error('not put off');

    expect(postponedForMs(limited, 0, () => 0.5)).toBe(40_000);
    expect(postponedForMs(away, 0, () => 0)).toBe(2_500);
    expect(postponedForMs(away, 9, () => 0.999_999)).toBeCloseTo(30_000, -1);
  });
});

describe('a failure of a provider', () => {
  test.each<[ProviderErrorClass | 'timeout', { blames: boolean; started: boolean }]>([
    ['quota', { blames: false, started: true }],
    ['not-found', { blames: false, started: false }],
    ['image', { blames: false, started: false }],
    ['invalid-settings', { blames: false, started: false }],
    ['denied', { blames: true, started: true }],
    ['transient', { blames: true, started: true }],
    ['timeout', { blames: true, started: true }],
    ['bug', { blames: false, started: true }],
  ])('%s uses up the JIT config, and is nothing to wait for with one: %o', (kind, expected) => {
    const error = kind === 'timeout' ? new TimeoutError('late') : new ProviderError(kind, 'broken');

    const judged = judgeCreateFailure(error, 'create');
    const before = judgeCreateFailure(error, 'before');

    expect(judged).toMatchObject({
      failure: { class: kind },
      verdict: { kind: 'fail' },
      blamesProvider: expected.blames,
    });
    expect(before.verdict.kind).toBe('postpone');
    expect(mayHaveStarted(kind)).toBe(expected.started);
  });

  test('that throws anything else fails for whoever asks, and may have started something', () => {
    const judged = judgeCreateFailure(new TypeError('x is undefined'), 'create');

    expect(judged).toMatchObject({ failure: { class: 'unexpected' }, blamesProvider: true });
    expect(mayHaveStarted('unexpected')).toBe(true);
  });

  test('that is full is asked again sooner than one that fails', () => {
    const wait = (kind: ProviderErrorClass) => {
      const { verdict } = judgeCreateFailure(new ProviderError(kind, 'x'), 'before');
      return verdict.kind === 'postpone' ? postponedForMs(verdict, 0, () => 1) : Number.NaN;
    };

    expect(wait('quota')).toBe(1_000);
    expect(wait('transient')).toBe(5_000);
  });
});

test('nobody knows what an interrupted create had started', () => {
  expect(mayHaveStarted('interrupted')).toBe(true);
});
