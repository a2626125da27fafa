import { setTimeout as delay } from 'node:timers/promises';
import { fieldOf } from './jit-config.ts';
import type { ServerLink } from './server-link.ts';

/** Runs one job by waiting. Returns the process's exit code. */
export async function runJob(link: ServerLink, job: unknown): Promise<number> {
  const durationMs = Number(fieldOf(job, 'durationMs') ?? 0);
  const crashExitCode = fieldOf(job, 'crashExitCode');
  if (typeof crashExitCode === 'number') {
    await delay(durationMs / 2, undefined, { signal: link.signal });
    return crashExitCode;
  }
  const ended = new AbortController();
  const over = AbortSignal.any([ended.signal, ...(link.signal ? [link.signal] : [])]);
  const outcome = await Promise.race([
    watch(link, ended.signal),
    delay(durationMs, 'done' as const, { signal: over }),
  ]);
  ended.abort();
  if (outcome === 'removed') return 1;
  const result = outcome === 'canceled' ? 'canceled' : fieldOf(job, 'result');
  const { status } = await link.call({
    method: 'POST',
    path: '/runner/complete',
    body: { result },
  });
  if (status !== 200) return 1;
  await delay(Number(fieldOf(job, 'lingerMs') ?? 0));
  return 0;
}

/** Holds a request that tells of a cancellation, and keeps the runner online. */
async function watch(link: ServerLink, signal: AbortSignal): Promise<'canceled' | 'removed'> {
  for (;;) {
    const call = { method: 'POST', path: '/runner/watch-job', body: {}, signal } as const;
    const { status } = await link.call(call);
    if (status === 200) return 'canceled';
    if (status !== 202) return 'removed';
  }
}
