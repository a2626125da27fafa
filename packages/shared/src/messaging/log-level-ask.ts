import {
  type LogLevelAnswer,
  type LogLevelRequest,
  logLevelAnswerSchema,
  logLevelSubject,
} from '../contracts/index.ts';
import { askAll } from './ask-all.ts';
import type { Nats } from './connect.ts';

/** Asks every process that the request concerns. Resolves with what was said within two seconds. */
export async function askLogLevels(
  nats: Nats,
  question: LogLevelRequest,
): Promise<LogLevelAnswer[]> {
  const answers: LogLevelAnswer[] = [];
  await askAll(nats, {
    subject: logLevelSubject,
    question,
    onAnswer: (text) => {
      const answer = readAnswer(text);
      if (answer) answers.push(answer);
    },
    isWaiting: () => false,
    timeoutMs: 0,
  });
  const name = ({ service, identity, incarnation }: LogLevelAnswer) =>
    `${service} ${identity} ${incarnation}`;
  return answers.toSorted((a, b) => (name(a) < name(b) ? -1 : 1));
}

function readAnswer(text: string): LogLevelAnswer | undefined {
  try {
    return logLevelAnswerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
