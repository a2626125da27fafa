/** The streams, consumers and buckets of Baton, as data. Only `baton topology apply` makes them. */

import { replayServices } from './replay.ts';
import { replaySubject } from './subjects.ts';

const dayMs = 24 * 3_600_000;
const mib = 1024 * 1024;

export interface StreamDefinition {
  name: string;
  subjects: string[];
  retention: 'limits' | 'workqueue';
  maxAgeMs: number;
  maxBytes: number;
  maxMessageBytes: number;
  /** How long a `Nats-Msg-Id` is remembered, in ms. */
  duplicateWindowMs: number;
}

export interface ConsumerDefinition {
  stream: string;
  name: string;
  filterSubject: string;
  /** Unacknowledged messages come back after this time, in ms. */
  ackWaitMs: number;
  maxAckPending: number;
}

export interface BucketDefinition {
  name: string;
  /** 0: entries stay until they are deleted. */
  ttlMs: number;
  maxValueBytes: number;
}

export interface Topology {
  streams: StreamDefinition[];
  consumers: ConsumerDefinition[];
  buckets: BucketDefinition[];
}

export interface TopologySettings {
  /** Life of a lease and of a membership without renewal, in ms. */
  leaseTtlMs: number;
}

export const streams = {
  events: 'BATON_EVENTS',
  commands: 'BATON_COMMANDS',
  dead: 'BATON_DEAD',
} as const;

export const consumers = {
  provisionerEvents: 'provisioner-events',
  createCommands: 'create-commands',
  deleteCommands: 'delete-commands',
} as const;

/** Where each service is asked to handle its dead letters again. */
export const replayConsumers = {
  listener: 'replay-listener',
  provisioner: 'replay-provisioner',
  janitor: 'replay-janitor',
} as const;

export const buckets = {
  specs: 'baton-specs',
  leases: 'baton-leases',
  members: 'baton-members',
  registrations: 'baton-registrations',
  sessions: 'baton-sessions',
  status: 'baton-status',
  plans: 'baton-plans',
  runners: 'baton-runners',
  jit: 'baton-jit',
  sweeps: 'baton-sweeps',
} as const;

/**
 * What nobody removed is gone after the longest bootstrap timeout that a scale set may have, in ms; each
 * value has an earlier end of its own.
 */
const jitTtlMs = dayMs;

/** Redelivery of a command whose worker died: the worker reports progress at a third of this. */
export const commandAckWaitMs = 6_000;

export function topology({ leaseTtlMs }: TopologySettings): Topology {
  return {
    streams: [
      stream(streams.events, ['baton.v1.event.>'], { maxAgeMs: 7 * dayMs, maxBytes: 2048 * mib }),
      stream(streams.commands, ['baton.v1.command.>'], { retention: 'workqueue' }),
      stream(streams.dead, ['baton.v1.dead.>'], { maxAgeMs: 30 * dayMs }),
    ],
    consumers: [
      {
        stream: streams.events,
        name: consumers.provisionerEvents,
        filterSubject: 'baton.v1.event.listener.>',
        ackWaitMs: 15_000,
        maxAckPending: 1_000,
      },
      command(consumers.createCommands, 'baton.v1.command.create.>'),
      command(consumers.deleteCommands, 'baton.v1.command.delete.>'),
      ...replayServices.map((service) => command(replayConsumers[service], replaySubject(service))),
    ],
    buckets: [
      bucket(buckets.specs),
      bucket(buckets.leases, leaseTtlMs),
      bucket(buckets.members, leaseTtlMs),
      bucket(buckets.registrations),
      bucket(buckets.sessions),
      bucket(buckets.status),
      bucket(buckets.plans),
      bucket(buckets.runners),
      bucket(buckets.jit, jitTtlMs),
      bucket(buckets.sweeps),
    ],
  };
}

function stream(
  name: string,
  subjects: string[],
  limits: Partial<StreamDefinition> = {},
): StreamDefinition {
  return {
    name,
    subjects,
    retention: 'limits',
    maxAgeMs: dayMs,
    maxBytes: 512 * mib,
    maxMessageBytes: mib,
    duplicateWindowMs: 120_000,
    ...limits,
  };
}

function command(name: string, filterSubject: string): ConsumerDefinition {
  return {
    stream: streams.commands,
    name,
    filterSubject,
    ackWaitMs: commandAckWaitMs,
    maxAckPending: 1_000,
  };
}

function bucket(name: string, ttlMs = 0): BucketDefinition {
  return { name, ttlMs, maxValueBytes: mib };
}
