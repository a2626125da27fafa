import type { QueueMessage } from '@baton/scaleset';
import { streams } from '@baton/shared/contracts';
import type { Nats } from '@baton/shared/messaging';
import { Publisher } from '@baton/shared/messaging';
import { storedMessages, type TestNats } from '@baton/testkit';
import { z } from 'zod';
import { DemandCounter } from '../core/demand-counter.ts';
import { LiveSession } from '../live-session.ts';
import { MessagePipeline } from '../message-pipeline.ts';
import type { TestGitHub } from './github-bench.ts';
import { aLease, aListener } from './listener-bench.ts';

/** A publisher that can be told to do something after each message. */
class WatchedPublisher extends Publisher {
  published = 0;
  beforePublish: (subject: string) => void = () => undefined;
  afterPublish: (subject: string) => void = () => undefined;

  override async publish(...args: Parameters<Publisher['publish']>): Promise<void> {
    this.beforePublish(args[0]);
    await super.publish(...args);
    this.published += 1;
    this.afterPublish(args[0]);
  }
}

/** Thrown where a process would end. */
export class Killed extends Error {}

interface LifeOptions {
  server: TestNats;
  github: TestGitHub;
  scaleSetId: string;
  githubScaleSetId: number;
}

/**
 * The pipeline of one listener process: it takes over the scale set, resumes or creates the session,
 * and handles what it polls. `die` ends it as a SIGKILL would: nothing that it does counts after it.
 */
export async function aLife({ server, github, scaleSetId, githubScaleSetId }: LifeOptions) {
  const listener = await aListener(server);
  const end = new AbortController();
  const lease = await aLease(listener, scaleSetId);
  const claim = await listener.claim(scaleSetId, AbortSignal.any([lease.signal, end.signal]));
  const recorded = claim.record.session?.sessionId;
  const opened = recorded
    ? await github.client.refreshSession(githubScaleSetId, recorded)
    : await github.client.createSession(githubScaleSetId, 'baton-test');
  const { sessionId, ownerName } = opened;
  const openedAt = '2026-01-01T00:00:00Z';
  await claim.write((record) => ({ ...record, session: { sessionId, ownerName, openedAt } }));
  const session = new LiveSession(
    { ...listener, client: github.client, lease },
    githubScaleSetId,
    opened,
  );
  const queue = github.queue(githubScaleSetId);
  const publisher = new WatchedPublisher(listener.nats, listener.log);
  const demand = new DemandCounter(opened.statistics, listener.clock.monotonic());
  const failures: unknown[] = [];
  const pipeline = new MessagePipeline(
    { ...listener, queue, session, claim, publisher },
    {
      scaleSetId,
      githubScaleSetId,
      demand,
      signal: end.signal,
      onFailure: (error) => void failures.push(error),
    },
  );
  let position = '0';
  /** Polls until GitHub has nothing more, and waits until everything is handled. */
  const pollAll = async () => {
    for (;;) {
      const message = await poll();
      if (!message || end.signal.aborted) break;
      await pipeline.push(message);
    }
    await pipeline.drained();
  };
  const poll = async (): Promise<QueueMessage | undefined> => {
    const access = { ...session.queue, lastMessageId: position, maxCapacity: 100 };
    const message = await queue.getMessage(access);
    position = message?.messageId ?? position;
    return message;
  };
  const die = (): never => {
    end.abort(new Killed());
    throw new Killed();
  };
  return {
    ...listener,
    publisher,
    queue,
    session,
    claim,
    demand,
    pipeline,
    failures,
    poll,
    pollAll,
    die,
    /** Reads again from the start what is not deleted. */
    rewind: () => {
      position = '0';
    },
    /** Frees the lease for the next life. */
    bury: async () => {
      end.abort(new Killed());
      await pipeline.drained();
      await lease.release();
    },
  };
}

const factSchema = z.looseObject({ type: z.string(), jobId: z.string().optional() });

/** The facts of a scale set in the events stream, as "type job", sorted. */
export async function factsOf(cli: Nats, scaleSetId: string): Promise<string[]> {
  const stored = await storedMessages(cli, streams.events);
  return stored
    .filter(({ subject }) => subject.startsWith(`baton.v1.event.listener.${scaleSetId}.job.`))
    .map(({ data }) => factSchema.parse(data))
    .map(({ type, jobId }) => `${type} ${jobId ?? ''}`)
    .sort();
}
