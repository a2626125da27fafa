import {
  type SweepAnswer,
  type SweepRequest,
  sweepAnswerSchema,
  sweepSubject,
} from '../contracts/index.ts';
import { askAll } from './ask-all.ts';
import type { Nats } from './connect.ts';

/** What one janitor said of one part of a sweep that it leads; without `end` it never came to one. */
export interface SweepReport {
  instance: string;
  hostId: string | undefined;
  end: SweepAnswer | undefined;
}

export interface SweepReports {
  /** How many janitors answered that they do not lead it. */
  idle: number;
  /** By host. */
  parts: SweepReport[];
}

/** What an answer may take beyond the time of the run, in ms. */
const graceMs = 6_000;

/**
 * Asks all janitors to run a sweep, or to say what a run would do, and waits for those that lead a part
 * of it. Resolves with what was said by then; with nothing when nobody is there.
 */
export async function askSweep(
  nats: Nats,
  question: Omit<SweepRequest, 'v'> & { timeoutMs: number },
): Promise<SweepReports> {
  const idle = new Set<string>();
  const parts = new Map<string, SweepReport>();
  await askAll(nats, {
    subject: sweepSubject,
    question: { v: 1, ...question },
    onAnswer: (text) => {
      const answer = readAnswer(text);
      if (answer?.kind === 'idle') idle.add(answer.instance);
      else if (answer) note(parts, answer);
    },
    isWaiting: () => [...parts.values()].some(({ end }) => end === undefined),
    timeoutMs: question.timeoutMs + graceMs,
  });
  const byHost = ({ hostId: a = '' }: SweepReport, { hostId: b = '' }: SweepReport) =>
    a < b ? -1 : 1;
  return { idle: idle.size, parts: [...parts.values()].toSorted(byHost) };
}

function note(parts: Map<string, SweepReport>, answer: SweepAnswer): void {
  const { instance, hostId, kind } = answer;
  const key = `${instance} ${hostId ?? ''}`;
  const end = kind === 'here' ? parts.get(key)?.end : answer;
  parts.set(key, { instance, hostId, end });
}

function readAnswer(text: string): SweepAnswer | undefined {
  try {
    return sweepAnswerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
