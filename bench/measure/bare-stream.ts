import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type JsMsg } from 'nats';
import { inParallel } from '../in-parallel.ts';
import { bare } from './bare.ts';
import { hostNow } from './host-now.ts';

/** How many publishes wait for their acknowledgement side by side. */
const width = 256;
/** About as long as an event. */
const bytes = 500;

/** One end of the bare stream, in a process of its own: `bare-stream.ts publish|consume URL`. */
const [end, url] = process.argv.slice(2);
const connection = await connect(url === undefined ? {} : { servers: url });
const jetstream = connection.jetstream();

interface Asked {
  count: number;
  /** 0: as many at once as go. */
  perS: number;
}

const publish = () => jetstream.publish(bare.subject, `${hostNow()} `.padEnd(bytes, '.'));

async function publishAll({ count, perS }: Asked): Promise<void> {
  const from = hostNow();
  const all = Array.from({ length: count }, (_, index) => index);
  await inParallel(all, perS === 0 ? width : count, async (index) => {
    if (perS > 0) await sleep((index * 1_000) / perS);
    await publish();
  });
  process.send?.({ from });
}

const latenciesMs: number[] = [];
let wanted = Number.POSITIVE_INFINITY;

function receive(message: JsMsg): void {
  latenciesMs.push(hostNow() - Number.parseFloat(message.string()));
  message.ack();
  tellWhenAll();
}

function tellWhenAll(): void {
  if (latenciesMs.length < wanted) return;
  wanted = Number.POSITIVE_INFINITY;
  process.send?.({ to: hostNow(), latenciesMs: latenciesMs.splice(0) });
}

if (end === 'consume') {
  const consumer = await jetstream.consumers.get(bare.stream, bare.consumer);
  await consumer.consume({ max_messages: 500, callback: receive });
}
process.on('message', (asked: Asked) => {
  if (end === 'publish') void publishAll(asked);
  else {
    wanted = asked.count;
    tellWhenAll();
  }
});
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
