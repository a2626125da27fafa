import { createInbox } from 'nats';
import {
  type DoctorAnswer,
  type DoctorRequest,
  doctorAnswerSchema,
  doctorSubject,
  type Finding,
} from '../contracts/index.ts';
import { clockDifference } from '../time/index.ts';
import type { Nats } from './connect.ts';

/** What one process said. */
export interface DoctorReport {
  service: string;
  identity: string;
  incarnation: string;
  /** How far our clock is ahead of its clock, in ms, for certain. */
  clockAheadMs: number;
  /** Undefined when it said that it is there, and nothing more. */
  findings: Finding[] | undefined;
}

/** Within this everybody says that they are there, in ms. */
const announceMs = 1_500;
/** What an answer may take beyond the time of the examination, in ms. */
const graceMs = 2_500;
const lookEveryMs = 25;

/**
 * Asks every process of every service, and waits for those that say they are there. Resolves with
 * what was said by then; with nothing when nobody is there.
 */
export async function askDoctor(
  nats: Nats,
  question: Pick<DoctorRequest, 'scaleSet' | 'timeoutMs'>,
): Promise<DoctorReport[]> {
  const { connection, clock } = nats;
  const reports = new Map<string, DoctorReport>();
  const room = { empty: false };
  const inbox = createInbox(nats.inboxPrefix);
  const askedAtMs = clock.now();
  const subscription = connection.subscribe(inbox, {
    callback: (error, message) => {
      if (error) return;
      const answer = readAnswer(message.string());
      // nats-server itself says so, with a status and no text.
      if (message.headers?.code === 503) room.empty = true;
      else if (answer) note(reports, answer, { earliestMs: askedAtMs, latestMs: clock.now() });
    },
  });
  try {
    connection.publish(doctorSubject, JSON.stringify({ v: 1, ...question }), { reply: inbox });
    await connection.flush();
    const startMs = clock.monotonic();
    const elapsed = () => clock.monotonic() - startMs;
    const waiting = () => [...reports.values()].some(({ findings }) => findings === undefined);
    while (!room.empty && elapsed() < announceMs) await clock.sleep(lookEveryMs);
    while (waiting() && elapsed() < question.timeoutMs + graceMs) await clock.sleep(lookEveryMs);
  } finally {
    subscription.unsubscribe();
  }
  return [...reports.values()];
}

function note(
  reports: Map<string, DoctorReport>,
  answer: DoctorAnswer,
  own: { earliestMs: number; latestMs: number },
): void {
  const { service, identity, incarnation } = answer;
  const key = `${service} ${identity} ${incarnation}`;
  const known = reports.get(key);
  if (answer.kind === 'here') {
    const now = Date.parse(answer.now);
    const clockAheadMs = clockDifference({ other: { earliestMs: now, latestMs: now }, own });
    reports.set(key, { service, identity, incarnation, clockAheadMs, findings: known?.findings });
  } else {
    const { findings } = answer;
    const clockAheadMs = known?.clockAheadMs ?? 0;
    reports.set(key, { service, identity, incarnation, clockAheadMs, findings });
  }
}

function readAnswer(text: string): DoctorAnswer | undefined {
  try {
    return doctorAnswerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
