import { open } from 'node:fs/promises';
import { ConfigError, errorText } from '@baton/shared/errors';
import { readOtlp } from './read-otlp.ts';
import type { TraceSpan } from './trace-span.ts';

/**
 * The spans of a file of OTLP's JSON, a request a line. A last line that was cut short, by a full disk or a
 * process that was killed, is left out.
 * @throws ConfigError for a file that cannot be read, or is something else; with the line.
 */
export async function readTraceFile(file: string): Promise<TraceSpan[]> {
  const spans: TraceSpan[] = [];
  /** Of a line that cannot be read: nothing is wrong yet if it is the last one. */
  let unread: ConfigError | undefined;
  let number = 0;
  for await (const line of linesOf(file)) {
    number += 1;
    if (unread) throw unread;
    if (line.trim() === '') continue;
    try {
      for (const span of readOtlp(line)) spans.push(span);
    } catch (cause) {
      unread = new ConfigError(`${file}, line ${number}: ${errorText(cause)}`, { cause });
    }
  }
  if (unread && number === 1) throw unread;
  return spans;
}

async function* linesOf(file: string): AsyncGenerator<string, void> {
  try {
    await using handle = await open(file);
    yield* handle.readLines();
  } catch (cause) {
    throw new ConfigError(`${file} cannot be read: ${errorText(cause)}`, { cause });
  }
}
