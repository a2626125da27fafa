import {
  type DoctorAnswer,
  type DoctorRequest,
  doctorRequestSchema,
  doctorSubject,
  type Finding,
} from '../contracts/index.ts';
import { errorText } from '../errors/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { withSoftDeadline } from '../time/index.ts';
import type { Nats } from './connect.ts';

interface AnswerOptions {
  service: string;
  holder: { identity: string; incarnation: string };
  log: Logger;
  /**
   * Checks what the process needs, from its place. Ends soon after the signal is aborted, with what
   * was found by then.
   */
  examine: (request: DoctorRequest, signal: AbortSignal) => Promise<Finding[]>;
  /** Ends examinations that are under way. */
  stop: AbortSignal;
}

/** How long an examination may go on after its time is over, in ms. */
const graceMs = 1_000;
/** Different questions that wait for each other; more are refused. */
const mostWaiting = 4;
/** Well below the server's limit of a MiB for one message. */
const longestAnswer = 700_000;

/**
 * Answers the doctor's questions until the connection closes. One examination runs at a time; who
 * asks the same while it does gets the same result.
 */
export function answerDoctor(nats: Nats, options: AnswerOptions): void {
  const { service, holder } = options;
  const log = options.log.child({ component: 'health' });
  const examinations = new Examinations(nats, { ...options, log });
  nats.connection.subscribe(doctorSubject, {
    callback: (error, message) => {
      const request = error ? undefined : readRequest(message.string());
      if (!request) return;
      const from = { v: 1 as const, service, ...holder };
      const respond = (answer: DoctorAnswer) => {
        if (!nats.connection.isClosed()) message.respond(JSON.stringify(answer));
      };
      respond({ ...from, kind: 'here', now: new Date(nats.clock.now()).toISOString() });
      log.info({ scaleSet: request.scaleSet }, 'doctor asks');
      void examinations.run(request).then((findings) => {
        respond({ ...from, kind: 'findings', findings: fitting(findings) });
      });
    },
  });
}

/** The examinations of a process, one after the other. */
class Examinations {
  readonly #nats: Nats;
  readonly #options: AnswerOptions;
  readonly #running = new Map<string, Promise<Finding[]>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(nats: Nats, options: AnswerOptions) {
    this.#nats = nats;
    this.#options = options;
  }

  /** Never rejects. */
  async run(request: DoctorRequest): Promise<Finding[]> {
    const key = request.scaleSet ?? '';
    const same = this.#running.get(key);
    if (same) return await same;
    if (this.#running.size >= mostWaiting) {
      const text = 'too many questions at once: ask again in a minute';
      return [{ check: 'examination', outcome: 'failed', text }];
    }
    const mine = this.#last
      .then(() => this.#examine(request))
      .finally(() => this.#running.delete(key));
    this.#running.set(key, mine);
    this.#last = mine;
    return await mine;
  }

  async #examine(request: DoctorRequest): Promise<Finding[]> {
    const { clock } = this.#nats;
    const { examine, stop, log } = this.#options;
    const { timeoutMs } = request;
    const late = `not done within ${timeoutMs / 1_000} s: give a longer --timeout`;
    const what = 'the examination';
    try {
      const limit = { clock, timeoutMs, graceMs, what, late, signal: stop };
      return await withSoftDeadline(limit, (signal) => examine(request, signal));
    } catch (err) {
      log.warn({ err }, 'examination failed');
      return [{ check: 'examination', outcome: 'failed', text: errorText(err) }];
    }
  }
}

function readRequest(text: string): DoctorRequest | undefined {
  try {
    return doctorRequestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** As many as fit into one message, what is wrong first. */
function fitting(findings: readonly Finding[]): Finding[] {
  if (sizeOf(findings) <= longestAnswer) return [...findings];
  const weight = { failed: 0, warning: 1, ok: 2 };
  const sorted = [...findings].sort((a, b) => weight[a.outcome] - weight[b.outcome]);
  let size = 0;
  const kept = sorted.filter((finding) => {
    size += sizeOf([finding]);
    return size <= longestAnswer;
  });
  const text = `${findings.length - kept.length} findings more than fit into an answer: ask with --scale-set`;
  return [...kept, { check: 'examination', outcome: 'warning', text }];
}

function sizeOf(findings: readonly Finding[]): number {
  return Buffer.byteLength(JSON.stringify(findings));
}
