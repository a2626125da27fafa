import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { GitHubApiError } from './errors.ts';
import { parseJson, shapeProblem } from './json.ts';
import { listOf } from './schemas.ts';
import type { HttpAnswer } from './transport.ts';

interface AnswerContext {
  what: string;
  host: string;
}

/**
 * The body of a successful answer as typed data. A body that is empty, cut off or of another shape
 * is `degraded`: seen during incidents, and over by the next try. The error never quotes the body,
 * which may hold tokens.
 */
export function readAnswer<T>(
  schema: z.ZodType<T>,
  answer: HttpAnswer,
  { what, host }: AnswerContext,
): T {
  const parsed = schema.safeParse(readJson(answer, { what, host }));
  if (parsed.success) return parsed.data;
  throw degraded(answer, { what, host }, `has another shape: ${shapeProblem(parsed.error)}`);
}

/** `readAnswer` for a given schema. */
export function reads<T>(schema: z.ZodType<T>): (answer: HttpAnswer, context: AnswerContext) => T {
  return (answer, context) => readAnswer(schema, answer, context);
}

/**
 * `reads` for `{count, value: […]}`, in slices: ten thousand items are a tenth of a second, for which
 * nothing else of the process would go on.
 */
export function readsList<T>(
  item: z.ZodType<T>,
): (answer: HttpAnswer, context: AnswerContext) => Promise<T[]> {
  const envelope = listOf(z.unknown());
  return async (answer, context) => {
    const raw = readAnswer(envelope, answer, context);
    const items: T[] = [];
    for (let start = 0; start < raw.length; start += sliceLength) {
      if (start > 0) await setImmediate();
      const slice = z.array(item).safeParse(raw.slice(start, start + sliceLength));
      if (!slice.success)
        throw degraded(answer, context, `has another shape: ${shapeProblem(slice.error)}`);
      for (const one of slice.data) items.push(one);
    }
    return items;
  };
}

const sliceLength = 200;

/** The body of a successful answer as JSON of any shape; `degraded` when it is none. */
export function readJson(answer: HttpAnswer, context: AnswerContext): unknown {
  try {
    return parseJson(answer.text);
  } catch {
    const size = Buffer.byteLength(answer.text);
    throw degraded(answer, context, size === 0 ? 'is empty' : `is not JSON (${size} bytes)`);
  }
}

/**
 * `done` when GitHub says 204, as it does for everything that it deletes (measured). Any other answer
 * of success is `degraded`: a service in trouble was seen to answer with an empty 200 and do nothing.
 */
export function readDone<T>(done: T): (answer: HttpAnswer, context: AnswerContext) => T {
  return (answer, context) => {
    if (answer.status === 204) return done;
    throw degraded(answer, context, `has status ${answer.status}, not 204`);
  };
}

function degraded(
  answer: HttpAnswer,
  { what, host }: AnswerContext,
  problem: string,
): GitHubApiError {
  return new GitHubApiError(`${what}: the answer of ${host} ${problem}`, {
    kind: 'degraded',
    host,
    status: answer.status,
    activityId: answer.header('activityid'),
    requestId: answer.header('x-github-request-id'),
  });
}
