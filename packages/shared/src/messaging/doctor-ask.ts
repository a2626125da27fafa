import {
  type DoctorAnswer,
  type DoctorRequest,
  doctorAnswerSchema,
  doctorSubject,
  type Finding,
} from '../contracts/index.ts';
import { clockDifference } from '../time/index.ts';
import { askAll } from './ask-all.ts';
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

/** What an answer may take beyond the time of the examination, in ms. */
const graceMs = 2_500;

/**
 * Asks every process of every service, and waits for those that say they are there. Resolves with
 * what was said by then; with nothing when nobody is there.
 */
export async function askDoctor(
  nats: Nats,
  question: Pick<DoctorRequest, 'scaleSet' | 'timeoutMs'>,
): Promise<DoctorReport[]> {
  const { clock } = nats;
  const reports = new Map<string, DoctorReport>();
  const askedAtMs = clock.now();
  await askAll(nats, {
    subject: doctorSubject,
    question: { v: 1, ...question },
    onAnswer: (text) => {
      const answer = readAnswer(text);
      if (answer) note(reports, answer, { earliestMs: askedAtMs, latestMs: clock.now() });
    },
    isWaiting: () => [...reports.values()].some(({ findings }) => findings === undefined),
    timeoutMs: question.timeoutMs + graceMs,
  });
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
