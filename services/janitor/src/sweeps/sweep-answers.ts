import {
  type SweepAnswer,
  type SweepFinding,
  sweepRequestSchema,
  sweepSubject,
} from '@baton/shared/contracts';
import { errorText } from '@baton/shared/errors';
import type { Nats } from '@baton/shared/messaging';
import type { Logger } from '@baton/shared/telemetry';
import type { SweepLeader } from './sweep-leader.ts';
import type { SweepResult } from './sweep-run.ts';

interface AnswerOptions {
  leaders: readonly SweepLeader[];
  instance: string;
  log: Logger;
}

/** Runs that were asked for and wait for each other; more are refused. */
const mostWaiting = 16;
/** Well below the server's limit of a MiB for one message. */
const longestAnswer = 700_000;

/**
 * Runs sweeps that this process leads when it is asked to, until the connection closes. Whoever asks
 * is told at once which parts are led here, and afterwards what came of each.
 */
export function answerSweeps(nats: Nats, { leaders, instance, log }: AnswerOptions): void {
  let waiting = 0;
  const from = { v: 1 as const, instance };
  nats.connection.subscribe(sweepSubject, {
    callback: (error, message) => {
      const request = error ? undefined : readRequest(message.string());
      if (!request) return;
      const respond = (answer: SweepAnswer) => {
        try {
          message.respond(JSON.stringify(answer));
        } catch (err) {
          // The connection is being closed, and whoever asked hears nothing more.
          log.debug({ err }, 'sweep could not be answered');
        }
      };
      const { sweep, dryRun, timeoutMs } = request;
      const led = leaders.filter(({ leads, part }) => leads && part.sweep.name === sweep);
      log.info({ sweep, dryRun, parts: led.length }, 'sweep is asked for');
      if (led.length === 0) respond({ ...from, kind: 'idle' });
      for (const leader of led) {
        const part = { ...from, hostId: leader.part.hostId };
        respond({ ...part, kind: 'here' });
        if (waiting >= mostWaiting) {
          respond({ ...part, kind: 'failed', problem: 'too many runs are asked for at once' });
          continue;
        }
        waiting += 1;
        void leader
          .runNow({ dryRun, timeoutMs })
          .then(
            (result) => respond({ ...part, kind: 'done', ...answerOf(result) }),
            (err: unknown) => respond({ ...part, kind: 'failed', problem: errorText(err) }),
          )
          .finally(() => {
            waiting -= 1;
          });
      }
    },
  });
}

function readRequest(text: string) {
  try {
    return sweepRequestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function answerOf({ lookedAt, left, found, hold, problem }: SweepResult) {
  const rest = { lookedAt, left, count: found.length, hold, problem };
  return { ...rest, findings: fitting(found, Buffer.byteLength(JSON.stringify(rest))) };
}

/** As many as fit into one message besides the rest. */
function fitting(findings: readonly SweepFinding[], restBytes: number): SweepFinding[] {
  let size = restBytes;
  return findings.filter((finding) => {
    size += Buffer.byteLength(JSON.stringify(finding)) + 1;
    return size <= longestAnswer;
  });
}
