import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type JsMsg } from 'nats';
import { request } from 'undici';
import { bare } from '../measure/bare.ts';
import { hostNow } from '../measure/host-now.ts';

/** Its list of runners, with the token for it. */
interface GitHub {
  runnersUrl: string;
  token: string;
}

interface Deletions {
  what: 'delete';
  count: number;
  /** How long the provider takes. */
  deleteMs: number;
  /** Absent while it is away. */
  gitHub?: GitHub;
}

interface List {
  what: 'list';
  gitHub: GitHub;
}

/**
 * What deletions cost at the least: takes commands from the bare stream, removes each runner at GitHub and its
 * key, acknowledges, and does nothing else. `bare-deleter.ts URL`.
 */
const connection = await connect({ servers: process.argv.at(2) ?? '' });
const jetstream = connection.jetstream();
const keys = await jetstream.views.kv(bare.bucket);

/** As many at once as the consumer lets go without an acknowledgement. */
async function deleteAll(asked: Deletions): Promise<{ ms: number }> {
  const from = hostNow();
  const consumer = await jetstream.consumers.get(bare.stream, bare.consumer);
  let left = asked.count;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const take = async (message: JsMsg) => {
    await deleteOne(message, asked);
    left -= 1;
    if (left === 0) resolve();
  };
  const messages = await consumer.consume({
    callback: (message) => void take(message).catch(reject),
  });
  await promise;
  const ms = hostNow() - from;
  await messages.close();
  return { ms };
}

async function deleteOne(message: JsMsg, { deleteMs, gitHub }: Deletions): Promise<void> {
  const id = message.string();
  if (deleteMs > 0) await sleep(deleteMs);
  if (gitHub) await call('DELETE', `${gitHub.runnersUrl}/${id}`, gitHub.token);
  await keys.delete(id);
  message.ack();
}

/** Reads what GitHub has, all of it. */
async function list({ gitHub }: List): Promise<{ ms: number }> {
  const from = hostNow();
  JSON.parse(await call('GET', gitHub.runnersUrl, gitHub.token));
  return { ms: hostNow() - from };
}

async function call(method: 'GET' | 'DELETE', url: string, token: string): Promise<string> {
  const answer = await request(`${url}?api-version=6.0-preview`, {
    method,
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
  });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.statusCode} ${text}`);
  return text;
}

process.on('message', (asked: Deletions | List) => {
  const answering = asked.what === 'delete' ? deleteAll(asked) : list(asked);
  void answering.then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
