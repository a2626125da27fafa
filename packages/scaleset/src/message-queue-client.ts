import type { Secret } from '@baton/shared/config';
import { jsonHeaders, serviceLimit, serviceUrl } from './admin-api.ts';
import { scaleSetPath } from './calls-scale-set.ts';
import { GitHubApiError, isGitHubError } from './errors.ts';
import { type QueueMessage, readQueueMessage } from './queue-message.ts';
import { readAnswer, readDone, readJson } from './read-answer.ts';
import { acquiredIdsSchema } from './schemas.ts';
import type { Tokens } from './token-source.ts';
import type { CallOptions, GitHubTransport } from './transport.ts';

/** The queue of a session: `queueUrl` and `queueToken` of the newest session answer. */
export interface QueueAccess extends CallOptions {
  queueUrl: string;
  token: Secret;
}

export interface GetMessageOptions extends QueueAccess {
  /** Id of the last message that was passed; "0" or undefined reads from the start. */
  lastMessageId?: string | undefined;
  /** How many runners there could be in all, not how many are free. GitHub assigns no more jobs. */
  maxCapacity: number;
}

export type AcquireResult =
  | { kind: 'acquired' /** The granted ids, perhaps fewer than asked. */; ids: string[] }
  | { kind: 'unsupported' };

/**
 * The message queue of one scale set. Nothing is retried here: the loop that polls decides.
 * `unauthorized` means that the queue token ended: refresh the session, once, and try again.
 */
export class MessageQueueClient {
  readonly #transport: GitHubTransport;
  readonly #tokens: Tokens;
  readonly #scaleSetId: number;

  constructor(options: { transport: GitHubTransport; tokens: Tokens; scaleSetId: number }) {
    this.#transport = options.transport;
    this.#tokens = options.tokens;
    this.#scaleSetId = options.scaleSetId;
  }

  /**
   * Waits for the next message: at most `pollTimeoutMs`, in practice 50 s. Undefined when there was
   * none (202). `degraded` for a 200 that is empty or cut off: poll again, same session. A message
   * of an unknown shape is a value of kind `unreadable`. Until it is deleted, a message comes again.
   */
  async getMessage(options: GetMessageOptions): Promise<QueueMessage | undefined> {
    const { lastMessageId = '0', maxCapacity, signal: outer } = options;
    if (!Number.isSafeInteger(maxCapacity) || maxCapacity < 0) {
      throw new RangeError(`maxCapacity must be a count of runners, not ${maxCapacity}`);
    }
    const url = new URL(options.queueUrl);
    if (lastMessageId !== '0') {
      // Appended as text: rewriting the query could break a signature in it.
      const parameter = `lastMessageId=${encodeURIComponent(lastMessageId)}`;
      url.search = url.search ? `${url.search}&${parameter}` : parameter;
    }
    const what = 'get message';
    const timeoutMs = this.#transport.pollTimeoutMs;
    const limit = { what, host: url.host, timeoutMs, signal: outer };
    return await this.#transport.within(limit, async (signal) => {
      const answer = await this.#transport.send({
        what,
        method: 'GET',
        url,
        pool: 'poll',
        auth: { scheme: 'Bearer', token: options.token },
        headers: {
          accept: 'application/json; api-version=6.0-preview',
          'x-scalesetmaxcapacity': String(maxCapacity),
        },
        scaleSetId: this.#scaleSetId,
        signal,
      });
      if (answer.status === 202) return undefined;
      return readQueueMessage(readJson(answer, { what, host: url.host }), answer.text);
    });
  }

  /**
   * Acknowledges a message: GitHub forgets it. Call it when every effect of the message is durable
   * elsewhere. Repeating it is safe; a message that is gone is success (measured: 404). Any answer but
   * 204 is `degraded`: GitHub has not said that it did it, and may deliver the message again.
   */
  async deleteMessage(messageId: string, queue: QueueAccess): Promise<void> {
    const url = new URL(queue.queueUrl);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/${encodeURIComponent(messageId)}`;
    const what = 'delete message';
    const timeoutMs = this.#transport.adminTimeoutMs;
    const limit = { what, host: url.host, timeoutMs, signal: queue.signal };
    try {
      const answer = await this.#transport.within(limit, (signal) =>
        this.#transport.send({
          what,
          method: 'DELETE',
          url,
          auth: { scheme: 'Bearer', token: queue.token },
          headers: { accept: 'application/json; api-version=6.0-preview' },
          scaleSetId: this.#scaleSetId,
          signal,
        }),
      );
      readDone(undefined)(answer, { what, host: url.host });
    } catch (error) {
      if (!(error instanceof GitHubApiError) || error.status !== 404) throw error;
    }
  }

  /**
   * Accepts offered jobs, by their `runnerRequestId`. `unsupported` where the service assigns jobs
   * by itself (github.com, measured: 404 without a type name). Asking twice for a job is harmless:
   * it is granted once.
   */
  async acquireJobs(
    runnerRequestIds: readonly string[],
    { token, signal: outer }: { token: Secret } & CallOptions,
  ): Promise<AcquireResult> {
    if (runnerRequestIds.length === 0) return { kind: 'acquired', ids: [] };
    const body = idsAsJson(runnerRequestIds);
    const what = 'acquire jobs';
    const timeoutMs = this.#transport.adminTimeoutMs;
    const limit = { what, host: this.#tokens.configUrl.host, timeoutMs, signal: outer };
    return await this.#transport.within(limit, async (signal, endsAtMs) => {
      const { baseUrl } = await this.#tokens.connection(signal);
      const url = serviceUrl(baseUrl, scaleSetPath(this.#scaleSetId, 'acquirejobs'));
      try {
        const answer = await this.#transport.send({
          what,
          method: 'POST',
          url,
          auth: { scheme: 'Bearer', token },
          headers: jsonHeaders,
          body,
          scaleSetId: this.#scaleSetId,
          limit: { ...serviceLimit(url), priority: 'session', endsAtMs },
          signal,
        });
        const ids = readAnswer(acquiredIdsSchema, answer, { what, host: url.host });
        return { kind: 'acquired', ids };
      } catch (error) {
        if (isGitHubError(error, 'not-found')) return { kind: 'unsupported' };
        throw error;
      }
    });
  }
}

/** 64-bit ids as JSON numbers, digit by digit: a JavaScript number would round them. */
function idsAsJson(ids: readonly string[]): string {
  const wrong = ids.find((id) => !/^(0|[1-9]\d*)$/.test(id));
  if (wrong !== undefined) throw new RangeError(`not a runner request id: ${wrong}`);
  return `[${ids.join(',')}]`;
}
