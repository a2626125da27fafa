import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { FaultAction } from '../core/fault-rule.ts';
import type { Reply } from './exchange.ts';

const byteOrderMark = '\uFEFF';

interface AnswerOptions {
  byteOrderMark: boolean;
}

/** Writes an answer with the ids that GitHub puts on every answer. */
export function answer(response: ServerResponse, reply: Reply, options?: AnswerOptions): void {
  if (response.destroyed || response.writableEnded) return;
  const text = reply.body ?? '';
  const marked = options?.byteOrderMark && text.startsWith('{') ? byteOrderMark + text : text;
  response.writeHead(reply.status, headersFor(reply, Buffer.byteLength(marked)));
  response.end(marked);
}

/** Spoils an answer that the simulator was about to give. */
export function answerSpoiled(
  response: ServerResponse,
  reply: Reply,
  action: Extract<FaultAction, { kind: 'truncate' | 'drop' | 'stall' }>,
): void {
  const text = reply.body ?? '';
  const half = text.slice(0, Math.floor(text.length / 2));
  if (action.kind === 'truncate') {
    answer(response, { ...reply, body: half });
    return;
  }
  response.writeHead(reply.status, headersFor(reply, Buffer.byteLength(text) + 1));
  response.write(half, () => {
    if (action.kind === 'drop') response.destroy();
  });
}

function headersFor(reply: Reply, length: number): Record<string, string | number> {
  const id = randomUUID();
  return {
    ...(reply.contentType === undefined ? {} : { 'Content-Type': reply.contentType }),
    ...(reply.status === 204 ? {} : { 'Content-Length': length }),
    ActivityId: id,
    'X-GitHub-Request-Id': id.slice(9).toUpperCase(),
    ...reply.headers,
  };
}
