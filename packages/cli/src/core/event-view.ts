import { evidenceSchema, type RunnerEvent } from '@baton/shared/contracts';
import type { StoredEvent } from '@baton/shared/messaging';
import { z } from 'zod';
import { formatDuration } from './duration.ts';

/** One element of `baton get events -o json`. Fields are only ever added. */
export interface EventView {
  /** The place in the stream: events are in this order. */
  id: number;
  at: string;
  type: string;
  scaleSetId: string | null;
  /** The scale set's name; null when its spec is gone, or when the event is about none. */
  scaleSet: string | null;
  runnerId: string | null;
  runnerName: string | null;
  jobId: string | null;
  /** Who did it; of a deletion, who carried it out. */
  by: string | null;
  /** What there is to say about it, for people. */
  text: string;
  traceId: string | null;
  /** As it was published. */
  event: unknown;
}

const partsSchema = z.looseObject({
  type: z.string(),
  at: z.string(),
  scaleSetId: z.string().optional(),
  runnerId: z.string().optional(),
  runnerName: z.string().optional(),
  jobId: z.string().optional(),
  by: z.string().optional(),
  carriedOutBy: z.string().optional(),
  /** How, why, with which result: each type has its own. */
  how: z.string().optional(),
  what: z.string().optional(),
  result: z.string().optional(),
  condition: z.string().optional(),
  sweep: z.string().optional(),
  reason: z.string().optional(),
  gate: z.string().optional(),
  attempts: z.number().optional(),
  markedForMs: z.number().optional(),
  text: z.string().optional(),
  ownerText: z.string().optional(),
  repository: z.string().optional(),
  jobDisplayName: z.string().optional(),
  demand: z.looseObject({ assigned: z.number() }).optional(),
  evidence: evidenceSchema.optional(),
});
type Parts = z.infer<typeof partsSchema>;

/** `names`: of scale sets, by their internal ids. */
export function eventView(stored: StoredEvent, names: ReadonlyMap<string, string>): EventView {
  const event = readJson(stored.text);
  const { data: parts } = partsSchema.safeParse(event);
  const [, , , source = '', scaleSetId, entity, what] = stored.subject.split('.');
  const about = parts?.scaleSetId ?? scaleSetId ?? null;
  return {
    id: stored.sequence,
    at: parts?.at ?? stored.storedAt.toISOString(),
    type: parts?.type ?? `${entity}.${what}`,
    scaleSetId: about,
    scaleSet: (about === null ? undefined : names.get(about)) ?? null,
    runnerId: parts?.runnerId ?? null,
    runnerName: parts?.runnerName ?? null,
    jobId: parts?.jobId ?? null,
    by: parts?.carriedOutBy ?? parts?.by ?? source,
    text: parts ? textOf(parts) : 'cannot be understood: see -o json',
    traceId: stored.traceparent?.split('-')[1] ?? null,
    event: event ?? stored.text,
  };
}

function textOf(parts: Parts): string {
  const { text, reason, attempts, markedForMs, gate, evidence, at } = parts;
  const decided = parts.carriedOutBy === undefined ? undefined : parts.by;
  const said = [
    ...[parts.condition, parts.sweep, parts.how, parts.what, parts.result, reason],
    text ?? (parts.condition && 'ended'),
    parts.ownerText,
    parts.demand && `assigned ${parts.demand.assigned}`,
    parts.jobId && `job ${parts.jobId}`,
    parts.repository,
    parts.jobDisplayName,
    gate && `gate ${gate}`,
    decided && `decided by ${decided}`,
    markedForMs !== undefined && `${formatDuration(markedForMs)} after the mark`,
    attempts && `${attempts} failed attempts`,
    evidence && evidenceText(evidence, at),
  ];
  return said.filter(Boolean).join('; ');
}

/** What was looked at, how long before, and for how long it had looked like that. */
function evidenceText(
  { views, since, looks }: NonNullable<RunnerEvent['evidence']>,
  at: string,
): string {
  const before = (time: string) => formatDuration(Date.parse(at) - Date.parse(time));
  const seen = views.map((one) => `${one.view} (${one.count}, ${before(one.at)} before)`);
  const lasting = since === undefined ? [] : [`so for ${before(since)}`];
  const often = looks === undefined ? [] : [`in ${looks} looks`];
  return `seen in ${[seen.join(', '), ...lasting, ...often].join(', ')}`;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
