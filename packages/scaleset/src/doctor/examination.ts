import type { Finding } from '@baton/shared/contracts';
import { errorText } from '@baton/shared/errors';
import { isGitHubError } from '../errors.ts';
import type { ChainBounds } from '../rest-auth.ts';
import type { GitHubTransport } from '../transport.ts';

/** How long one step may take, in ms; a connection alone is given as much. */
const stepMs = 10_000;

interface Subject {
  /** What the findings are about. */
  about: string;
  /** The server that is asked. */
  host: string;
}

/** What is found, step by step. A step that fails is a finding, never an exception. */
export class Examination {
  readonly findings: Finding[] = [];
  readonly transport: GitHubTransport;
  readonly #signal: AbortSignal;

  constructor(transport: GitHubTransport, signal: AbortSignal) {
    this.transport = transport;
    this.#signal = signal;
  }

  add(check: string, about: string, outcome: Finding['outcome'], text: string): void {
    this.findings.push({ check, about, outcome, text });
  }

  /** What is limited for a while is nobody's mistake. */
  fail(check: string, about: string, error: unknown): void {
    this.add(
      check,
      about,
      isGitHubError(error, 'rate-limited') ? 'warning' : 'failed',
      said(error),
    );
  }

  /** The result of the work, within the time of one step; undefined when it failed. */
  async step<T>(
    check: string,
    { about, host }: Subject,
    work: (bounds: ChainBounds) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await this.within(host, work);
    } catch (error) {
      this.fail(check, about, error);
      return undefined;
    }
  }

  /** As `step`; rejects with what went wrong. */
  async within<T>(host: string, work: (bounds: ChainBounds) => Promise<T>): Promise<T> {
    const limit = { what: 'look', host, timeoutMs: stepMs, signal: this.#signal };
    return await this.transport.within(limit, (signal, endsAtMs) => work({ signal, endsAtMs }));
  }
}

function said(error: unknown): string {
  return isGitHubError(error) ? error.message : errorText(error);
}
