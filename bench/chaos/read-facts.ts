import { listenerEventSchema, streams } from '@baton/shared/contracts';
import type { Nats } from '@baton/shared/messaging';
import type { StoredFact } from './facts.ts';

/** So many requests are under way at a time. */
const parallel = 64;

/** All facts about jobs that JetStream has, by a connection of the user `cli`. */
export async function readFacts(nats: Nats): Promise<StoredFact[]> {
  const jsm = await nats.connection.jetstreamManager({ checkAPI: false });
  const { state } = await jsm.streams.info(streams.events);
  const facts: StoredFact[] = [];
  for (let first = state.first_seq; first <= state.last_seq; first += parallel) {
    const count = Math.min(parallel, state.last_seq - first + 1);
    const read = Array.from({ length: count }, (_, index) => readOne(nats, first + index));
    for (const fact of await Promise.all(read)) if (fact) facts.push(fact);
  }
  return facts;
}

async function readOne(nats: Nats, seq: number): Promise<StoredFact | undefined> {
  const wanted = JSON.stringify({ seq });
  const message = await nats.connection.request(`$JS.API.DIRECT.GET.${streams.events}`, wanted);
  const event = listenerEventSchema.safeParse(message.data.length > 0 ? message.json() : undefined);
  if (!event.success || event.data.type === 'demand.changed') return undefined;
  const { scaleSetId, jobId, type } = event.data;
  const storedMs = Date.parse(message.headers?.get('Nats-Time-Stamp') ?? '');
  const messageId = message.headers?.get('Nats-Msg-Id') ?? '';
  return { scaleSetId, jobId, type, messageId, storedMs };
}
