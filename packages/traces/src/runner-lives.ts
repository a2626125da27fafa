import { attributes } from '@baton/shared/telemetry';
import type { SpanIndex } from './span-index.ts';
import { lengthOf, placeKey, type TraceSpan } from './trace-span.ts';

/** All that was told of one runner, from the poll that asked for it until it was gone. */
export interface RunnerLife {
  /** What the spans call it; `unknown` where none does. */
  runnerId: string;
  runnerName: string;
  scaleSetId: string;
  traceId: string;
  /** When the poll was answered that led to it, else when it was asked for; wall clock, ms. */
  zeroMs: number;
  endMs: number;
  /** How long it lived without its job, and without waiting for one; ms. */
  ownMs: number;
  /** The span `runner`; undefined while it is not gone, or when nobody lived to tell. */
  runner: TraceSpan | undefined;
  /** Undefined for a runner that no poll asked for, or when nobody lived to tell. */
  poll: TraceSpan | undefined;
  /** What was done for it, in order; each may have children. */
  steps: readonly TraceSpan[];
}

/** Children of the span `runner`: where they are, one was. */
const stepNames: ReadonlySet<string> = new Set([
  'create runner',
  'boot',
  'idle',
  'job',
  'delete runner',
]);
const unknown = 'unknown';

/** The lives in these spans, in the order in which they began. A span that is missing is missing there too. */
export function findLives(index: SpanIndex): RunnerLife[] {
  const keys = new Set<string>();
  for (const span of index.spans) {
    const { traceId, parentId, name } = span;
    if (name === 'runner') keys.add(placeKey(span));
    else if (parentId !== undefined && stepNames.has(name)) {
      keys.add(placeKey({ traceId, spanId: parentId }));
    }
  }
  return [...keys]
    .flatMap((key) => lifeOf(index, key) ?? [])
    .sort((a, b) => beganAt(a) - beganAt(b));
}

function lifeOf(index: SpanIndex, key: string): RunnerLife | undefined {
  const runner = index.get(key);
  // Only `runner` has such children.
  if (runner && runner.name !== 'runner') return undefined;
  const steps = index.childrenOf(key);
  const told = runner ? [runner, ...steps] : steps;
  const [first] = told;
  if (!first) return undefined;
  const poll = runner && pollOf(index, runner);
  const zeroMs = poll?.endMs ?? Math.min(...told.map(({ startMs }) => startMs));
  const endMs = runner?.endMs ?? Math.max(...told.map((span) => span.endMs));
  const busyMs = steps
    .filter(({ name }) => name === 'job' || name === 'idle')
    .reduce((sum, span) => sum + lengthOf(span), 0);
  return {
    runnerId: firstOf(told, attributes.runner),
    runnerName: firstOf(told, attributes.runnerName),
    scaleSetId: firstOf(told, attributes.scaleSet),
    traceId: first.traceId,
    zeroMs,
    endMs,
    ownMs: Math.max(0, endMs - zeroMs - busyMs),
    runner,
    poll,
    steps,
  };
}

function beganAt({ runner, zeroMs }: RunnerLife): number {
  return runner?.startMs ?? zeroMs;
}

/** Its parent, or of another trace, where a poll asked for many. */
function pollOf(index: SpanIndex, runner: TraceSpan): TraceSpan | undefined {
  const { traceId, parentId, links } = runner;
  const places = parentId === undefined ? links : [{ traceId, spanId: parentId }];
  return places.map((place) => index.get(placeKey(place))).find((span) => span !== undefined);
}

function firstOf(spans: readonly TraceSpan[], name: string): string {
  const span = spans.find((one) => one.attributes[name] !== undefined);
  return String(span?.attributes[name] ?? unknown);
}

/** Those that took longest without their job, and without waiting for one; the slowest first. */
export function slowest(lives: readonly RunnerLife[], count: number): RunnerLife[] {
  return [...lives].sort((a, b) => b.ownMs - a.ownMs).slice(0, count);
}
