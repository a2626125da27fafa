import { attributes } from '@baton/shared/telemetry';
import type { TraceSpan } from './trace-span.ts';

type Say = (value: string) => string;

const plain: Say = (value) => value;

/** What is worth a place on the line, in this order; the rest is in the file. */
const shown: readonly [string, Say][] = [
  ['http.response.status_code', plain],
  ['url.path', endOfPath],
  [attributes.jobName, plain],
  [attributes.jobResult, plain],
  [attributes.planRequested, (value) => `requested ${value}`],
  [attributes.planWanted, (value) => `wanted ${value}`],
  [attributes.planAlive, (value) => `alive ${value}`],
  [attributes.attempt, (value) => (value === '1' ? '' : `attempt ${value}`)],
  [attributes.delivery, (value) => (value === '1' ? '' : `delivery ${value}`)],
];

/** Of single spans: where all have these, they tell nothing. */
const shownOf: Readonly<Record<string, readonly string[]>> = {
  runner: [attributes.markReason],
  'create instance': [attributes.provider, attributes.instance],
};

/** A few words that tell a span from others of its name. */
export function keyAttributes({ name, attributes: all }: TraceSpan): string {
  const own = (shownOf[name] ?? []).map((attribute) => [attribute, plain] as const);
  const words = [...own, ...shown].flatMap(([attribute, say]) => {
    const value = all[attribute];
    return value === undefined ? [] : say(String(value));
  });
  return words.filter(Boolean).join(' ');
}

/** It tells more than the beginning. */
function endOfPath(path: string): string {
  return path.split('/').slice(-2).join('/');
}
