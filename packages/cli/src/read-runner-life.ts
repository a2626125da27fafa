import { eventSubject, type Runner, runnerIdOf } from '@baton/shared/contracts';
import type { EventLog, EventRange, StoredEvent } from '@baton/shared/messaging';
import { z } from 'zod';
import type { Stores } from './stores.ts';

/** What is known of a runner. */
interface RunnerLife {
  runnerId: string;
  /** While it has one. */
  record: Runner | undefined;
  /** Oldest first. */
  events: StoredEvent[];
}

interface Asked {
  stores: Stores;
  log: EventLog;
  /** Name or id. */
  runner: string;
  /** Internal id of its scale set, where that is known. */
  scaleSetId?: string | undefined;
  onProgress: (left: number) => void;
}

const aboutSchema = z.looseObject({
  type: z.string(),
  runnerId: z.string().optional(),
  runnerName: z.string().optional(),
  jobId: z.string().optional(),
});

/** A message about its job may come so long after a runner is gone, in ms. */
const lateMs = 120_000;
/** How far the clock of who wrote a record may be ahead of the server's, in ms. */
const skewMs = 60_000;
/** Any one token of a subject. */
const any = '*';

/**
 * Reads the events about one runner, from where its record says that it was made, or else from its
 * `runner.requested`, which is looked for from the end of the stream, to a while after its
 * `runner.deleted`: so little is read of a stream that holds much more.
 */
export async function readRunnerLife(asked: Asked): Promise<RunnerLife> {
  const { stores, runner } = asked;
  const runnerId = runnerIdOf(runner, stores.installationId) ?? runner;
  const key = (await stores.runners.keys()).find((one) => one.endsWith(`.${runnerId}`));
  const record = key === undefined ? undefined : (await stores.runners.get(key))?.value;
  const { range, scaleSetId } = await findStart(asked, runnerId, record);
  const events = await readFrom(asked, { runnerId, record, range, scaleSetId });
  return { runnerId, record, events };
}

interface Start {
  range: EventRange;
  /** Or any. */
  scaleSetId: string;
}

async function findStart(
  { log, scaleSetId = any, onProgress }: Asked,
  runnerId: string,
  record: Runner | undefined,
): Promise<Start> {
  if (record && !record.adopted) {
    const since = new Date(Date.parse(record.createdAt) - skewMs);
    return { range: await log.range(since), scaleSetId: record.scaleSetId };
  }
  const range = await log.range();
  const about = record?.scaleSetId ?? scaleSetId;
  const subjects = [eventSubject('provisioner', about, 'runner', 'requested')];
  const isIts = (event: StoredEvent) => aboutOf(event)?.runnerId === runnerId;
  const [requested] = await log.newest({ subjects, range, onProgress }, 1, isIts);
  if (!requested) return { range, scaleSetId: about };
  const found = requested.subject.split('.')[4] ?? about;
  return { range: { ...range, first: requested.sequence }, scaleSetId: found };
}

async function readFrom(
  { stores, log, onProgress }: Asked,
  { runnerId, record, range, scaleSetId }: Start & { runnerId: string; record: Runner | undefined },
): Promise<StoredEvent[]> {
  const subjects = [
    `baton.v1.event.${any}.${scaleSetId}.runner.${any}`,
    eventSubject('listener', scaleSetId, 'job', any),
  ];
  const jobIds = new Set(record?.job ? [record.job.jobId] : []);
  const found: StoredEvent[] = [];
  const nameless: { event: StoredEvent; jobId: string }[] = [];
  let overMs = Number.POSITIVE_INFINITY;
  for await (const events of log.from({ subjects, range, onProgress })) {
    for (const event of events) {
      const about = aboutOf(event);
      if (!about || about.type === 'job.assigned') continue;
      const { runnerName, jobId } = about;
      const named =
        about.runnerId ?? (runnerName && runnerIdOf(runnerName, stores.installationId));
      if (named === undefined && jobId !== undefined) nameless.push({ event, jobId });
      if (named !== runnerId) continue;
      found.push(event);
      if (jobId !== undefined) jobIds.add(jobId);
      if (about.type === 'runner.deleted') overMs = event.storedAt.getTime() + lateMs;
    }
    if ((events.at(-1)?.storedAt.getTime() ?? 0) > overMs) break;
  }
  const its = nameless.filter(({ jobId }) => jobIds.has(jobId)).map(({ event }) => event);
  return [...found, ...its].sort((a, b) => a.sequence - b.sequence);
}

function aboutOf({ text }: StoredEvent): z.infer<typeof aboutSchema> | undefined {
  try {
    return aboutSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
