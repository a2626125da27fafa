import { z } from 'zod';
import { longestPauseMs } from './decide-admission.ts';
import { GitHubApiError, type GitHubErrorKind } from './errors.ts';
import { parseJson, stripBom } from './json.ts';
import { readRateLimit, readRetryAfter } from './rate-limit.ts';

/** What a bare status means for a given call, when the body does not say it. */
export interface StatusMeaning {
  /** Whatever the body says, a 409 of this call means this (GARM issue 700). */
  conflict?: GitHubErrorKind;
  notFound?: GitHubErrorKind;
}

/** A failed answer, as far as its classification needs it. */
export interface FailedResponse {
  status: number;
  text: string;
  header(name: string): string | undefined;
}

interface FailureContext {
  /** What was being done: "create session". */
  what: string;
  host: string;
  nowMs: number;
  meaning?: StatusMeaning | undefined;
  /** Removes secrets that were sent, should the answer echo them. */
  redact: (text: string) => string;
}

/** Type names and their statuses as measured; see protocol.md, section 5. */
const kindOfType: Readonly<Record<string, GitHubErrorKind>> = {
  RunnerScaleSetSessionConflictException: 'session-conflict',
  RunnerScaleSetSessionExpiredException: 'session-gone',
  RunnerScaleSetNotFoundException: 'scale-set-not-found',
  RunnerScaleSetExistsException: 'scale-set-exists',
  AgentExistsException: 'runner-exists',
  AgentNotFoundException: 'runner-not-found',
  JobStillRunningException: 'job-still-running',
  InvalidTokenException: 'unauthorized',
};

const maxMessageLength = 300;
/** Who asks for longer after something else is asked again earlier: an outage ends unannounced. */
const longestOutageMs = 5 * 60_000;
/** How the REST API words a limit that it gives no headers for. */
const secondaryLimit = /secondary rate limit|abuse detection/i;
const errorBody = z.object({ typeName: z.string().nullish(), message: z.string().nullish() });

/** The error for an answer that is not a success. Pure. */
export function errorFromResponse(
  response: FailedResponse,
  { what, host, nowMs, meaning = {}, redact }: FailureContext,
): GitHubApiError {
  const { typeName, message } = readErrorBody(response.text);
  const rateLimit = readRateLimit(response);
  const askedMs = readRetryAfter(response, rateLimit, nowMs);
  const limited =
    response.status === 429 ||
    (response.status === 403 &&
      (askedMs !== undefined || rateLimit?.remaining === 0 || secondaryLimit.test(message)));
  const kind = limited
    ? 'rate-limited'
    : classify({ status: response.status, typeName, message }, meaning);
  const shown = redact(message).slice(0, maxMessageLength);
  const activityId = response.header('activityid');
  const requestId = response.header('x-github-request-id');
  return new GitHubApiError(
    [
      `${what}: ${host} answered ${response.status}`,
      typeName ? ` ${typeName}` : '',
      shown ? `: ${shown}` : '',
      ` (ActivityId ${activityId ?? 'none'}, X-GitHub-Request-Id ${requestId ?? 'none'})`,
    ].join(''),
    {
      kind,
      host,
      status: response.status,
      typeName,
      activityId,
      requestId,
      retryAfterMs: askedMs && Math.min(askedMs, limited ? longestPauseMs : longestOutageMs),
      rateLimit,
      ownerText: kind === 'session-conflict' ? readOwner(redact(message)) : undefined,
    },
  );
}

function classify(
  { status, typeName, message }: { status: number; typeName: string | undefined; message: string },
  meaning: StatusMeaning,
): GitHubErrorKind {
  if (status === 409 && meaning.conflict) return meaning.conflict;
  const typed = typeName === undefined ? undefined : kindOfType[typeName];
  if (typed) return typed;
  if (status >= 500 || status === 408) return 'unavailable';
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return meaning.notFound ?? 'not-found';
  if (typeName === undefined && /already has an active session/i.test(message)) {
    return 'session-conflict';
  }
  return 'refused';
}

function readErrorBody(text: string): { typeName: string | undefined; message: string } {
  const plain = { typeName: undefined, message: oneLine(stripBom(text)) };
  try {
    const body = errorBody.safeParse(parseJson(text));
    if (!body.success) return plain;
    // Seen as "Name.Space.AgentExistsException", in older services with ", Assembly" behind it.
    const typeName = body.data.typeName?.split(',')[0]?.trim().split('.').at(-1);
    return { typeName: typeName || undefined, message: oneLine(body.data.message ?? '') };
  } catch {
    return plain;
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function readOwner(message: string): string | undefined {
  return /already has an active session for owner (.+?)\.?$/i.exec(message)?.[1];
}
