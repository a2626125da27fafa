import { AppError } from '@baton/shared/errors';
import type { RateLimit } from './rate-limit.ts';

/**
 * What an answer of GitHub's means for the caller.
 *
 * - `session-conflict`: the scale set has an active session, ours or another's. Wait or take over.
 * - `session-gone`: the session ended at GitHub's side. Create a new one.
 * - `scale-set-not-found`: the scale set was deleted. Find or create it again, reset the cursor.
 * - `scale-set-exists`: the name is taken in that runner group.
 * - `runner-exists`: the runner name is taken. Choose another.
 * - `runner-not-found`: no runner with that id.
 * - `job-still-running`: the runner is busy. Keep it.
 * - `unauthorized`: the token was refused (401). Admin tokens were renewed once already; on a queue
 *   call refresh the session, once.
 * - `forbidden`: the credential lacks a permission. Somebody must grant it.
 * - `not-found`: a 404 that names nothing known: a wrong path, or a credential that may not see it.
 * - `rate-limited`: wait `retryAfterMs`.
 * - `unavailable`: 5xx, refused or reset connection, no answer in time. Normal during outages.
 * - `degraded`: an answer of success that cannot be used (empty, cut off). Try again.
 * - `refused`: every other answer. See status, type name and message.
 */
export type GitHubErrorKind =
  | 'session-conflict'
  | 'session-gone'
  | 'scale-set-not-found'
  | 'scale-set-exists'
  | 'runner-exists'
  | 'runner-not-found'
  | 'job-still-running'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'rate-limited'
  | 'unavailable'
  | 'degraded'
  | 'refused';

/** What is known about a failed call. All of it may be logged. */
export interface GitHubErrorInfo {
  kind: GitHubErrorKind;
  host: string;
  status?: number | undefined;
  /** Last segment of the service's exception name: `AgentExistsException`. */
  typeName?: string | undefined;
  activityId?: string | undefined;
  requestId?: string | undefined;
  retryAfterMs?: number | undefined;
  rateLimit?: RateLimit | undefined;
  /** Of a session conflict: who holds the session, when the message says so. */
  ownerText?: string | undefined;
  /** Whether the message says what to do. */
  advised?: boolean | undefined;
  /** Of a degraded session answer: the session that GitHub opened all the same. */
  sessionId?: string | undefined;
}

const retryableKinds: readonly GitHubErrorKind[] = [
  'session-conflict',
  'job-still-running',
  'rate-limited',
  'unavailable',
  'degraded',
];

/** A call to GitHub that failed. Branch on `kind`; quote the two ids to GitHub support. */
export class GitHubApiError extends AppError {
  readonly info: Readonly<GitHubErrorInfo>;

  constructor(message: string, info: GitHubErrorInfo, options: { cause?: unknown } = {}) {
    const known = Object.entries(info).filter(([, value]) => value !== undefined);
    super('github', message, {
      retryable: retryableKinds.includes(info.kind),
      details: Object.fromEntries(known),
      ...options,
    });
    this.info = info;
  }

  get kind(): GitHubErrorKind {
    return this.info.kind;
  }

  get status(): number | undefined {
    return this.info.status;
  }

  get typeName(): string | undefined {
    return this.info.typeName;
  }

  get activityId(): string | undefined {
    return this.info.activityId;
  }

  get requestId(): string | undefined {
    return this.info.requestId;
  }

  /** How long GitHub asked to wait, in ms. */
  get retryAfterMs(): number | undefined {
    return this.info.retryAfterMs;
  }

  get ownerText(): string | undefined {
    return this.info.ownerText;
  }
}

/** Whether `thrown` is a `GitHubApiError`: of one of `kinds`, or of any when none is named. */
export function isGitHubError(
  thrown: unknown,
  ...kinds: readonly GitHubErrorKind[]
): thrown is GitHubApiError {
  if (!(thrown instanceof GitHubApiError)) return false;
  return kinds.length === 0 || kinds.includes(thrown.kind);
}
