import type { Runner } from '../contracts/index.ts';
import { AppError } from '../errors/index.ts';
import {
  activeTraceparent,
  attributes,
  parseTraceparent,
  recordSpan,
  type SpanAttributes,
} from '../telemetry/index.ts';
import {
  failureOf,
  type LeftCreate,
  lastPhase,
  leftCreate,
  leftCreateOf,
  type Phase,
} from './runner-phases.ts';

/** Which runner a span is about. */
export function runnerAttributes(runner: Runner): SpanAttributes {
  const { scaleSetId, runnerId, name, provider, instanceId } = runner;
  return {
    [attributes.scaleSet]: scaleSetId,
    [attributes.runner]: runnerId,
    [attributes.runnerName]: name,
    [attributes.provider]: provider,
    [attributes.instance]: instanceId,
  };
}

/** Tells of a part of a runner's life, when traces are made and the runner has one. */
export function recordPhase(runner: Runner, phase: Phase): void {
  const { traceparent: parent } = runner;
  if (parent === undefined) return;
  const { name, startedAt, endedAt, failure } = phase;
  recordSpan(name, {
    parent,
    links: name === 'job' ? [activeTraceparent()] : [],
    startedAt,
    endedAt,
    attributes: { ...runnerAttributes(runner), ...phase.attributes, ...classOf(failure) },
    error: errorOf(failure),
  });
}

/**
 * Tells of the whole life of a runner, and of the phase that it ended in. To be called by whoever removed
 * its record, after that, so that it is told once; a runner whose janitor is killed right there has none.
 * The record is the last one before; `goneAt` in ms since 1970.
 */
export function recordRunnerSpan(runner: Runner, goneAt: number): void {
  const { traceparent, tracedFrom, createdAt, mark } = runner;
  const own = parseTraceparent(traceparent);
  if (!own) return;
  const left = leftCreate(runner, goneAt);
  if (left) recordLeftCreate(runner, left);
  const last = lastPhase(runner, goneAt);
  if (last) recordPhase(runner, last);
  const isSameTrace = parseTraceparent(tracedFrom)?.traceId === own.traceId;
  const startedAt = Date.parse(createdAt);
  const failure = failureOf(runner);
  const told = { [attributes.markReason]: mark?.reason, ...classOf(failure) };
  recordSpan('runner', {
    // Who planned it made no spans: what was done for it hangs on the poll itself.
    as: traceparent === tracedFrom ? undefined : traceparent,
    parent: isSameTrace ? tracedFrom : null,
    links: isSameTrace ? [] : [tracedFrom],
    startedAt,
    endedAt: Math.max(startedAt, goneAt),
    attributes: { ...runnerAttributes(runner), ...told },
    error: errorOf(failure),
  });
}

/**
 * Tells of a create whose creator has ended before it, and that somebody else ends now. What the creator
 * had done by then is told already, as parts of it. `endedAt` in ms since 1970.
 */
export function recordInterruptedCreate(runner: Runner, endedAt: number): void {
  const span = runner.creator?.span;
  if (span) recordLeftCreate(runner, leftCreateOf(span, endedAt));
}

function recordLeftCreate(runner: Runner, { failure, ...times }: LeftCreate): void {
  recordSpan('create runner', {
    ...times,
    parent: runner.traceparent ?? null,
    attributes: { ...runnerAttributes(runner), ...classOf(failure) },
    error: errorOf(failure),
  });
}

function classOf(failure: Phase['failure']): SpanAttributes {
  return { [attributes.failureClass]: failure?.class };
}

function errorOf(failure: Phase['failure']): AppError | undefined {
  return failure && new AppError('provider', failure.text, { details: { class: failure.class } });
}
