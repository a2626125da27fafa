import type { Runtime } from '@baton/shared/lifecycle';
import { type Nats, Publisher, replayLoop } from '@baton/shared/messaging';
import type { RegistrationStore, SessionStore } from '@baton/shared/stores';
import { replayMessage } from './replay-message.ts';

interface ReplayStores {
  sessions: SessionStore;
  registrations: RegistrationStore;
}

/**
 * Handles the listeners' dead letters again on request, until it is stopped. Never rejects: nobody
 * waits for it before the process drains, so that a failure would end the process and its leases.
 */
export async function replayLetters(
  nats: Nats,
  { sessions, registrations }: ReplayStores,
  { log, signal, abort }: Runtime,
): Promise<void> {
  const publisher = new Publisher(nats, log);
  const handle = replayMessage.bind(undefined, {
    publisher,
    sessions,
    registrations,
    log: log.child({ component: 'message' }),
  });
  await replayLoop({ nats, publisher, log, service: 'listener', handle }, signal, abort);
}
