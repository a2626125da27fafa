import { captureLog, startTestNats, storedMessages } from '@baton/testkit';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { commandSubject, consumers, streams } from '../../contracts/index.ts';
import { consumeLoop } from '../consume-loop.ts';
import type { Outcome } from '../outcome.ts';
import { Publisher } from '../publisher.ts';

const schema = z.looseObject({ n: z.int() });
type Options = Partial<Parameters<typeof consumeLoop<typeof schema>>[0]>;

interface Delivery {
  n: number;
  delivery: number;
}

export const subject = commandSubject('create', 'linux-1');

/** A server on which the provisioner's commands are consumed. */
export async function startCommandBench() {
  const server = await startTestNats();
  const cli = await server.connect('admin');
  const provisioner = await server.connect('provisioner');
  const publisher = new Publisher(provisioner, captureLog().log);
  const jsm = await cli.connection.jetstreamManager();
  const bodies = async (stream: string) =>
    (await storedMessages(cli, stream)).map(({ data }) => data);

  return {
    server,
    cli,
    jsm,
    publisher,
    /** Removes all commands and dead letters. */
    async clear(): Promise<void> {
      for (const name of [streams.commands, streams.dead]) await jsm.streams.purge(name);
    },
    async send(...numbers: number[]): Promise<void> {
      for (const n of numbers) await publisher.publish(subject, { n });
    },
    /** Sends a command that is not even JSON. */
    async sendText(text: string): Promise<void> {
      await provisioner.connection.jetstream().publish(subject, text);
    },
    /** The commands that nobody has acknowledged. */
    left: () => bodies(streams.commands),
    dead: () => bodies(streams.dead),
    /** A loop that ends with the test, and what it is given. */
    startLoop(
      handle: (delivery: Delivery, signal: AbortSignal) => Outcome | Promise<Outcome>,
      options: Options = {},
    ) {
      const stop = new AbortController();
      const abort = new AbortController();
      const deliveries: Delivery[] = [];
      const { log, messages } = captureLog();
      const running = consumeLoop(
        {
          nats: provisioner,
          publisher,
          log,
          service: 'provisioner',
          stream: streams.commands,
          consumer: consumers.createCommands,
          schema,
          concurrency: 4,
          heartbeatMs: 2_000,
          maxDeliveries: 3,
          handle: async ({ n }, { delivery, signal }) => {
            deliveries.push({ n, delivery });
            return await handle({ n, delivery }, signal);
          },
          ...options,
        },
        stop.signal,
        abort.signal,
      );
      onTestFinished(async () => {
        stop.abort();
        abort.abort();
        await running;
      });
      return { stop, abort, running, deliveries, messages };
    },
  };
}

/** Work that goes on until it is cut short. */
export async function untilAborted(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  throw new Error('cut short');
}
