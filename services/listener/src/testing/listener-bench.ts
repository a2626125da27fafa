import { type Holder, LeaseStore, LivenessProber } from '@baton/shared/lease';
import { Hints, Publisher } from '@baton/shared/messaging';
import {
  openLeases,
  openPlans,
  openRegistrations,
  openSessions,
  openStatus,
} from '@baton/shared/stores';
import { type Clock, systemClock } from '@baton/shared/time';
import { captureLog, installationId, startTestNats, type TestNats } from '@baton/testkit';
import { onTestFinished } from 'vitest';
import { HolderWatch } from '../holder-watch.ts';
import { SessionClaim } from '../session-claim.ts';
import { Wakeups } from '../wakeups.ts';

interface ListenerOptions {
  identity?: string;
  incarnation?: string;
  clock?: Clock;
  /** What it takes for the TTL of leases, in ms. */
  ttlMs?: number;
}

let incarnations = 0;

/** What one listener process has of its own on a server. */
export async function aListener(server: TestNats, options: ListenerOptions = {}) {
  incarnations += 1;
  const {
    identity = 'listener-0',
    incarnation = `i${incarnations}`,
    clock = systemClock,
    ttlMs = 10_000,
  } = options;
  const holder: Holder = { v: 1, identity, incarnation };
  const { log, lines, messages } = captureLog();
  const nats = await server.connect('listener', { clock });
  const random = () => 0.5;
  const sessions = await openSessions(nats);
  const common = { clock, random, log };
  const bucket = await openLeases(nats);
  const prober = new LivenessProber(nats);
  return {
    ...common,
    nats,
    holder,
    lines,
    messages,
    sessions,
    registrations: await openRegistrations(nats),
    plans: await openPlans(nats),
    statuses: await openStatus(nats),
    publisher: new Publisher(nats, log, random),
    hints: new Hints(nats),
    leaseHints: new Wakeups(),
    prober,
    holders: new HolderWatch({ prober, clock }),
    leases: new LeaseStore({ ...common, bucket, holder, ttlMs }),
    /** Claims a scale set's session record. */
    claim: async (scaleSetId: string, signal: AbortSignal = new AbortController().signal) =>
      await SessionClaim.take(
        { ...common, sessions },
        { installationId, scaleSetId, owner: `${identity}/${incarnation}`, signal },
      ),
  };
}

export type TestListener = Awaited<ReturnType<typeof aListener>>;

/** A lease that nobody else wants; it ends with the test. */
export async function aLease({ leases }: TestListener, scaleSetId: string) {
  const lease = await leases.tryAcquire(scaleSetId);
  if (!lease) throw new Error(`${scaleSetId} is held by another`);
  onTestFinished(() => lease.release());
  return lease;
}

/** A server for the tests of a file. */
export async function startServer(): Promise<TestNats> {
  return await startTestNats();
}
