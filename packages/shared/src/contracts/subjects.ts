/** Every subject Baton uses. Parts that vary are always one token, so that permissions can be exact. */

export type EventSource = 'listener' | 'provisioner' | 'janitor' | 'cli';
export type CommandVerb = 'create' | 'delete';
/** What a core NATS hint is about. A hint wakes a periodic pass early and is never the truth. */
export type HintTopic = 'spec' | 'plan' | 'lease' | 'demand' | 'member';

export function eventSubject(
  source: EventSource,
  scaleSetId: string,
  entity: string,
  what: string,
): string {
  return `baton.v1.event.${source}.${scaleSetId}.${entity}.${what}`;
}

export function commandSubject(verb: CommandVerb, scaleSetId: string): string {
  return `baton.v1.command.${verb}.${scaleSetId}`;
}

/** Asks a service to handle one of its dead letters again. */
export function replaySubject(service: string): string {
  return `baton.v1.command.replay.${service}`;
}

/** Where a service says what became of a replay; core NATS. */
export function replayedSubject(service: string): string {
  return `baton.v1.replayed.${service}`;
}

export function deadSubject(service: string, kind: string): string {
  return `baton.v1.dead.${service}.${kind}`;
}

/** `about` is a scale set's id, or for `member` a listener's identity. */
export function hintSubject(topic: HintTopic, about: string): string {
  return `baton.v1.hint.${topic}.${about}`;
}

/** Where one incarnation of a listener answers probes for as long as it lives. */
export function livenessSubject(identity: string, incarnation: string): string {
  return `baton.v1.live.${identity}.${incarnation}`;
}

/** Where a process of the service answers for its identity, whichever incarnation it is. */
export function identitySubject(service: string, identity: string): string {
  return `baton.v1.live.${service}.${identity}.any`;
}

/** Where the CLI asks the janitors to run a sweep, or to say what it would do. */
export const sweepSubject = 'baton.v1.sweep';

/** Where the CLI asks every process to check what it needs. */
export const doctorSubject = 'baton.v1.doctor';

/** Where the CLI asks every process for the levels of its log, and changes them. */
export const logLevelSubject = 'baton.v1.log-level';
