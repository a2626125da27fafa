import { TimeoutError } from '@baton/shared/errors';
import { Counter, Histogram, type MetricSource } from '@baton/shared/telemetry';
import { GitHubApiError } from './errors.ts';

/** Counts the requests of a process to GitHub, each attempt for itself. */
export class GitHubMetrics {
  readonly #requests = new Counter<'operation' | 'outcome'>({
    name: 'baton_github_requests_total',
    help: 'Requests to GitHub, by what was asked and the kind of the error, or ok for a status of success; cancelled: not waited for any longer.',
  });
  readonly #seconds = new Histogram<'operation'>({
    name: 'baton_github_request_seconds',
    help: 'How long GitHub took to answer a request, or did not answer it. Those of getMessage are held for up to 50 s.',
  });
  readonly #operations = new Map<string, string>();

  get sources(): MetricSource[] {
    return [this.#requests, this.#seconds];
  }

  /** A request was answered, or has failed with `error`. `what` is one of few texts. */
  tell(what: string, tookMs: number, error?: unknown): void {
    const operation = this.#operation(what);
    const outcome = error === undefined ? 'ok' : kindOf(error);
    this.#requests.add({ operation, outcome });
    if (outcome !== 'cancelled') this.#seconds.recordMs({ operation }, tookMs);
  }

  #operation(what: string): string {
    const known = this.#operations.get(what);
    if (known !== undefined) return known;
    const operation = operationOf(what);
    this.#operations.set(what, operation);
    return operation;
  }
}

/** "generate JIT config" is `generateJitConfig`, as the client's method is called. */
function operationOf(what: string): string {
  const [first = '', ...more] = what
    .replace(/ at .*/, '')
    .toLowerCase()
    .split(' ');
  return first + more.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function kindOf(error: unknown): string {
  if (error instanceof GitHubApiError) return error.kind;
  return error instanceof TimeoutError ? 'unavailable' : 'cancelled';
}
