import type { Runtime } from '@baton/shared/lifecycle';
import { type Nats, Publisher, replayLoop } from '@baton/shared/messaging';
import { openRegistrations, openSessions } from '@baton/shared/stores';
import { replayMessage } from './replay-message.ts';

/** Handles the listeners' dead letters again on request, until it is stopped. */
export async function replayLetters(nats: Nats, { log, signal, abort }: Runtime): Promise<void> {
  const publisher = new Publisher(nats, log);
  const [sessions, registrations] = [await openSessions(nats), await openRegistrations(nats)];
  const deps = { publisher, sessions, registrations, log };
  const handle = replayMessage.bind(undefined, deps);
  await replayLoop({ nats, publisher, log, service: 'listener', handle }, signal, abort);
}
