import { attributes } from '@baton/shared/telemetry';
import type { TraceSpan } from './trace-span.ts';

/** What is worth a place on the line, in this order; the rest is in the file. */
const shown: readonly [string, (value: string) => string][] = [
  ['http.request.method', (value) => value],
  ['url.path', (value) => value],
  ['http.response.status_code', (value) => value],
  [attributes.jobName, (value) => value],
  [attributes.jobResult, (value) => value],
  [attributes.markReason, (value) => value],
  [attributes.provider, (value) => value],
  [attributes.instance, (value) => value],
  [attributes.runnerName, (value) => value],
  ['baton.plan.wanted', (value) => `wanted ${value}`],
  ['baton.plan.alive', (value) => `alive ${value}`],
  ['baton.plan.requested', (value) => `requested ${value}`],
  ['baton.plan.retired', (value) => `retired ${value}`],
  [attributes.delivery, (value) => (value === '1' ? '' : `delivery ${value}`)],
];

/** A few words that tell a span from others of its name. */
export function keyAttributes(span: TraceSpan): string {
  const words = shown.flatMap(([name, say]) => {
    const value = span.attributes[name];
    return value === undefined ? [] : say(String(value));
  });
  return words.filter(Boolean).join(' ');
}
