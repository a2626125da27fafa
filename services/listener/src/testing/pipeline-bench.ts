import type { MessageQueueClient, QueueMessage, Session } from '@baton/scaleset';
import { streams } from '@baton/shared/contracts';
import { type Nats, Publisher } from '@baton/shared/messaging';
import { storedMessages, type TestNats } from '@baton/testkit';
import { z } from 'zod';
import { DemandCounter } from '../core/demand-counter.ts';
import { LiveSession } from '../live-session.ts';
import { MessagePipeline } from '../message-pipeline.ts';
import { QueueCalls } from '../message-pipeline-calls.ts';
import { Offers } from '../offers.ts';
import { StoreWatch } from '../store-watch.ts';
import { aGitHub, type TestGitHub } from './github-bench.ts';
import { aLease, aListener } from './listener-bench.ts';

/** A publisher that can be told to do something after each message. */
class WatchedPublisher extends Publisher {
  /** All but demands: when those change depends on the time, too. */
  published = 0;
  beforePublish: (subject: string) => void = () => undefined;
  afterPublish: (subject: string) => void = () => undefined;

  override async publish(...args: Parameters<Publisher['publish']>): Promise<void> {
    this.beforePublish(args[0]);
    await super.publish(...args);
    if (!args[0].endsWith('demand.changed')) this.published += 1;
    this.afterPublish(args[0]);
  }
}

/** Thrown where a process would end. */
class Killed extends Error {}

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
  await claim.write((record) => ({ ...record, session: asRecorded(opened) }));
  const session = new LiveSession(
    { ...listener, client: github.client, lease },
    githubScaleSetId,
    opened,
  );
  const queue = github.queue(githubScaleSetId);
  const publisher = new WatchedPublisher(listener.nats, listener.log);
  const demand = new DemandCounter(opened.statistics, listener.clock.monotonic());
  const failures: unknown[] = [];
  const calls = new QueueCalls({ ...listener, queue, session }, end.signal);
  const offers = new Offers(
    {
      ...listener,
      client: github.client,
      calls,
      capacity: { current: 100 },
      demand,
    },
    { githubScaleSetId, supported: true, signal: end.signal },
  );
  const store = new StoreWatch(listener.clock, { tell: () => undefined });
  const pipeline = new MessagePipeline(
    { ...listener, calls, claim, publisher, offers, store },
    {
      scaleSetId,
      githubScaleSetId,
      demand,
      signal: end.signal,
      onFailure: (error) => void failures.push(error),
    },
  );
  const reader = new Reader(queue, session);
  /** Polls until GitHub has nothing more, and waits until everything is handled. */
  const pollAll = async () => {
    for (let message = await reader.poll(); message; message = await reader.poll()) {
      await pipeline.push(message);
      if (end.signal.aborted) break;
    }
    await pipeline.drained();
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
    reader,
    pollAll,
    die,
    /** Frees the lease for the next life. */
    bury: async () => {
      end.abort(new Killed());
      await pipeline.drained();
      await lease.release();
    },
  };
}

/** Polls by hand, one message at a time. */
class Reader {
  readonly #queue: MessageQueueClient;
  readonly #session: LiveSession;
  #position = '0';

  constructor(queue: MessageQueueClient, session: LiveSession) {
    this.#queue = queue;
    this.#session = session;
  }

  async poll(): Promise<QueueMessage | undefined> {
    const lastMessageId = this.#position;
    const options = { ...this.#session.queue, lastMessageId, maxCapacity: 100 };
    const message = await this.#queue.getMessage(options);
    this.#position = message?.messageId ?? this.#position;
    return message;
  }

  /** Reads again from the start what is not deleted. */
  rewind(): void {
    this.#position = '0';
  }
}

function asRecorded({ sessionId, ownerName }: Session) {
  return { sessionId, ownerName, openedAt: '2026-01-01T00:00:00Z' };
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

/** A GitHub with one scale set, and the lives of the listeners that serve it, one after another. */
export async function aWorld(
  server: TestNats,
  scaleSetId: string,
  options: Parameters<typeof aGitHub>[0] = {},
) {
  const github = await aGitHub(options);
  const githubScaleSetId = await github.aScaleSet();
  return {
    github,
    live: () => aLife({ server, github, scaleSetId, githubScaleSetId }),
    /** Puts jobs into the log: one message of all that nobody has polled yet. */
    say: async (...jobIds: string[]) => {
      const entries = jobIds.map((jobId) => ({ messageType: 'JobAssigned', jobId }));
      await github.control.play('linux', { entries });
    },
    /** How many messages GitHub still holds. */
    undeleted: async () => (await github.state())?.messages,
  };
}
