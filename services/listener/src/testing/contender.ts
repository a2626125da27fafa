import { randomBytes } from 'node:crypto';
import { Secret } from '@baton/shared/config';
import { eventSubject } from '@baton/shared/contracts';
import { answerProbes, LeaseStore, LivenessProber } from '@baton/shared/lease';
import { connectNats, type Nats, Publisher } from '@baton/shared/messaging';
import { openLeases, openSessions } from '@baton/shared/stores';
import { createLogger, LogLevels } from '@baton/shared/telemetry';
import { isAborted, systemClock } from '@baton/shared/time';
import { z } from 'zod';
import { contend } from '../contend.ts';
import { HolderWatch } from '../holder-watch.ts';
import { SessionClaim } from '../session-claim.ts';
import { Wakeups } from '../wakeups.ts';
import { WorkQueue } from './work-queue.ts';

/**
 * A process that contends for one scale set as a listener does, and while it holds it handles
 * message after message: publish the fact, record the message under its epoch, delete the message.
 * Where a listener has GitHub it has a folder. Its one argument is its settings, in JSON.
 */
const settingsSchema = z.object({
  natsUrl: z.string(),
  natsUser: z.string(),
  natsPassword: z.string(),
  installationId: z.string(),
  identity: z.string(),
  scaleSetId: z.string(),
  ttlMs: z.int(),
  /** How many others are preferred over it. */
  rank: z.int(),
  queueDir: z.string(),
});
export type ContenderSettings = z.infer<typeof settingsSchema>;

const betweenMessagesMs = 15;

const settings = settingsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const { installationId, identity, scaleSetId, ttlMs } = settings;
const clock = systemClock;
const random = Math.random;
const levels = new LogLevels({ all: 'debug', components: {} });
const log = createLogger({ service: 'contender', instance: identity, levels });
const holder = { v: 1 as const, identity, incarnation: randomBytes(6).toString('hex') };
const queue = new WorkQueue(settings.queueDir);

const nats = await connectNats({
  natsUrl: settings.natsUrl,
  natsUser: settings.natsUser,
  natsPassword: new Secret(settings.natsPassword),
  natsConnectTimeoutMs: 60_000,
  name: identity,
  log,
  clock,
});
answerProbes(nats, holder);
const { bucket, sessions } = await openStores(nats);
const prober = new LivenessProber(nats);
const deps = {
  clock,
  random,
  log,
  prober,
  sessions,
  holders: new HolderWatch({ prober, clock }),
  leases: new LeaseStore({ bucket, holder, ttlMs, clock, random, log }),
};
const publisher = new Publisher(nats, log);
for (;;) await takeTurn();

async function takeTurn(): Promise<void> {
  const { lease } = await contend(deps, {
    scaleSetId,
    rank: () => settings.rank,
    leaseHints: new Wakeups(),
    signal: new AbortController().signal,
  });
  try {
    const owner = `${identity}/${holder.incarnation}`;
    const { signal } = lease;
    const claim = await SessionClaim.take(deps, { installationId, scaleSetId, owner, signal });
    log.info({ epoch: claim.epoch }, 'claimed');
    await handleMessages(claim, signal);
  } catch (err) {
    log.info({ err }, 'scale set given up');
  } finally {
    await lease.release();
  }
}

/** Until the lease is lost, or a later epoch has claimed. */
async function handleMessages(claim: SessionClaim, signal: AbortSignal): Promise<void> {
  const { epoch } = claim;
  for (let act = 1; !isAborted(signal); act += 1) {
    const messageId = await queue.next();
    const fact = { type: 'job.assigned', jobId: messageId };
    await publisher.publish(eventSubject('listener', scaleSetId, 'job', 'assigned'), fact, {
      messageId: `fact-${messageId}`,
      signal,
    });
    const entry = { messageId, bodyHash: `${epoch}/${act}` };
    await claim.write((record) => ({ ...record, ring: [entry] }));
    await queue.delete(messageId, epoch);
    await clock.sleep(betweenMessagesMs, signal);
  }
}

/** NATS may be away while this process starts. */
async function openStores(connected: Nats) {
  for (;;) {
    try {
      return { bucket: await openLeases(connected), sessions: await openSessions(connected) };
    } catch (err) {
      log.info({ err }, 'buckets could not be opened yet');
      await clock.sleep(100);
    }
  }
}
