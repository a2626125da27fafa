import { describe, expect, test } from 'vitest';
import { GitHubApiError, isGitHubError } from './errors.ts';

describe('isGitHubError', () => {
  const outage = new GitHubApiError('no answer', { kind: 'unavailable', host: 'github.com' });

  test('takes any kind when none is named', () => {
    expect(isGitHubError(outage)).toBe(true);
  });

  test('takes only the kinds that are named', () => {
    expect(isGitHubError(outage, 'forbidden', 'unavailable')).toBe(true);
    expect(isGitHubError(outage, 'forbidden')).toBe(false);
  });

  test('takes nothing that is not a GitHubApiError', () => {
    expect(isGitHubError(new Error('unavailable'))).toBe(false);
    expect(isGitHubError(undefined, 'unavailable')).toBe(false);
  });
});
