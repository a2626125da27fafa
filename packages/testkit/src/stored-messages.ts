import type { Nats } from '@baton/shared/messaging';

interface StoredMessage {
  sequence: number;
  subject: string;
  /** What it says, read as JSON. */
  data: unknown;
  traceparent: string | undefined;
}

/** What a stream holds, oldest first. For a connection of the user `cli`, which may read all. */
export async function storedMessages(nats: Nats, stream: string): Promise<StoredMessage[]> {
  const jsm = await nats.connection.jetstreamManager({ checkAPI: false });
  const { state } = await jsm.streams.info(stream, { deleted_details: true });
  if (state.messages === 0) return [];
  // Absent when nothing was deleted, whatever the client's types say.
  const deleted = new Set<number>((state as { deleted?: number[] }).deleted);
  const stored: StoredMessage[] = [];
  for (let sequence = state.first_seq; sequence <= state.last_seq; sequence += 1) {
    if (deleted.has(sequence)) continue;
    const wanted = JSON.stringify({ seq: sequence });
    const message = await nats.connection.request(`$JS.API.DIRECT.GET.${stream}`, wanted);
    stored.push({
      sequence,
      subject: message.headers?.get('Nats-Subject') ?? '',
      data: message.json(),
      traceparent: message.headers?.get('traceparent') || undefined,
    });
  }
  return stored;
}
