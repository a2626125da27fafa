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
type About = z.infer<typeof aboutSchema>;

/** A message about its job may come so long after a runner is gone, in ms. */
const lateMs = 120_000;
/** How far the clock of who wrote a record may be ahead of the server's, in ms. */
const skewMs = 60_000;
/** Any one token of a subject. */
const any = '*';
/** What sweeps do about a runner long after its end; a registration may be of no scale set any more. */
const lateSubjects = ['adopted', 'deregistered'].map((what) =>
  eventSubject('janitor', any, 'runner', what),
);

/**
 * Reads the events about one runner, from where its record says that it was made, or else from its
 * `runner.requested`, which is looked for from the end of the stream, to a while after its
 * `runner.deleted`: so little is read of a stream that holds much more. What janitors find out later, that
 * it was not its end, is rare, and looked for in all that comes after.
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
  const { installationId } = stores;
  const its = new ItsEvents({ runnerId, installationId, jobId: record?.job?.jobId });
  const late: StoredEvent[] = [];
  for await (const events of log.from({ subjects: lateSubjects, range, onProgress }))
    late.push(...events.filter((event) => aboutOf(event)?.runnerId === runnerId));
  const lastAdopted = late.findLast((event) => aboutOf(event)?.type === 'runner.adopted');
  for await (const events of log.from({ subjects, range, onProgress })) {
    for (const event of events) its.take(event);
    const last = events.at(-1);
    const isPast = (last?.sequence ?? 0) >= (lastAdopted?.sequence ?? 0);
    if (isPast && !record && (last?.storedAt.getTime() ?? 0) > its.overMs) break;
  }
  for (const event of late) its.take(event);
  return its.all();
}

/** Picks the events about one runner out of those of its scale set. */
class ItsEvents {
  /** When nothing about it comes any more. */
  overMs = Number.POSITIVE_INFINITY;
  readonly #runnerId: string;
  readonly #installationId: string;
  readonly #found = new Map<number, StoredEvent>();
  readonly #jobIds: Set<string>;
  /** A job that was cancelled may name no runner, and so be its own by its id alone. */
  readonly #nameless: { event: StoredEvent; jobId: string }[] = [];

  constructor({ runnerId, installationId, jobId }: ItsEventsOptions) {
    this.#runnerId = runnerId;
    this.#installationId = installationId;
    this.#jobIds = new Set(jobId === undefined ? [] : [jobId]);
  }

  take(event: StoredEvent): void {
    const about = aboutOf(event);
    if (!about || about.type === 'job.assigned') return;
    const { jobId } = about;
    const runnerId = this.#runnerIdOf(about);
    if (runnerId === this.#runnerId) {
      this.#found.set(event.sequence, event);
      if (jobId !== undefined) this.#jobIds.add(jobId);
      if (about.type === 'runner.deleted') this.overMs = event.storedAt.getTime() + lateMs;
      if (about.type === 'runner.adopted') this.overMs = Number.POSITIVE_INFINITY;
    } else if (runnerId === undefined && jobId !== undefined) this.#nameless.push({ event, jobId });
  }

  all(): StoredEvent[] {
    const more = this.#nameless.filter(({ jobId }) => this.#jobIds.has(jobId));
    const events = [...this.#found.values(), ...more.map(({ event }) => event)];
    return events.sort((a, b) => a.sequence - b.sequence);
  }

  #runnerIdOf({ runnerId, runnerName }: About): string | undefined {
    if (runnerId !== undefined || runnerName === undefined) return runnerId;
    return runnerIdOf(runnerName, this.#installationId) ?? runnerName;
  }
}

interface ItsEventsOptions {
  runnerId: string;
  installationId: string;
  /** Of the job that its record names. */
  jobId: string | undefined;
}

function aboutOf({ text }: StoredEvent): About | undefined {
  try {
    return aboutSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
