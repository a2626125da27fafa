import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Clock } from '@baton/shared/time';
import { request } from 'undici';
import { z } from 'zod';
import type { BenchContext } from '../context.ts';
import { type BareNats, startBareNats } from './bare-nats.ts';
import { BareProcess, smallHeap } from './bare-process.ts';
import { percentile, type Range, rangeOf, rounded, significant } from './percentiles.ts';
import { readUsage } from './process-usage.ts';

/** What nothing here can be faster or cheaper than, measured in the same run, with bare programs. Times in ms. */
export interface Floor {
  /** From the start to the end of a Node process that does nothing. */
  processStartP50Ms: number;
  /** PING and PONG. */
  natsRoundTripP50Ms: number;
  /** From one process to another through a stream in files: from its publishing to its delivery. */
  natsP50Ms: number;
  natsP99Ms: number;
  /** An answer of the simulator that it has not to work for. */
  httpP50Ms: number;
  httpP99Ms: number;
  /** Such messages, as many as go at once. */
  messagesPerS: number;
  /** CPU of both processes and NATS, for one of those. */
  cpuMsPerMessage: number;
  /** The same while 50 come in a second, each by itself. */
  cpuMsPerPacedMessage: number;
  /** Memory of the process that consumed them. */
  consumerRssMb: number;
  ranges: { messagesPerS: Range; cpuMsPerMessage: Range };
}

const streamProgram = new URL('./bare-stream.ts', import.meta.url);
const starts = 5;
const roundTrips = 200;
const paced = { count: 300, perS: 50 };
const burst = { count: 5_000, perS: 0 };
const bursts = 3;

const sentSchema = z.object({ from: z.number() });
const receivedSchema = z.object({ to: z.number(), latenciesMs: z.array(z.number()) });

/** `healthUrl`: of the simulator. */
export async function measureFloor(context: BenchContext, healthUrl: string): Promise<Floor> {
  await using nats = await startBareNats(context);
  await using stream = await BareStream.start(context, nats);
  const { clock } = context;
  const processStart = await repeat(starts, clock, bareStart);
  const natsRoundTrip = await repeat(roundTrips, clock, () => nats.connection.flush());
  const http = await repeat(roundTrips, clock, () => httpRoundTrip(healthUrl));
  await stream.pass(burst);
  const single = await stream.pass(paced);
  const passes: Pass[] = [];
  for (let turn = 0; turn < bursts; turn += 1) passes.push(await stream.pass(burst));
  const messagesPerS = rangeOf(passes.map(({ perS }) => perS));
  const cpuMsPerMessage = rangeOf(passes.map(({ cpuMs }) => cpuMs));
  return {
    processStartP50Ms: significant(percentile(processStart, 0.5)),
    natsRoundTripP50Ms: significant(percentile(natsRoundTrip, 0.5)),
    natsP50Ms: significant(percentile(single.latenciesMs, 0.5)),
    natsP99Ms: significant(percentile(single.latenciesMs, 0.99)),
    httpP50Ms: significant(percentile(http, 0.5)),
    httpP99Ms: significant(percentile(http, 0.99)),
    messagesPerS: messagesPerS.median,
    cpuMsPerMessage: cpuMsPerMessage.median,
    cpuMsPerPacedMessage: significant(single.cpuMs),
    consumerRssMb: await stream.consumerRssMb(),
    ranges: { messagesPerS, cpuMsPerMessage },
  };
}

interface Pass {
  latenciesMs: number[];
  perS: number;
  /** For one message. */
  cpuMs: number;
}

/** A process that publishes, one that consumes, and the stream between them. */
class BareStream implements AsyncDisposable {
  readonly #nats: BareNats;
  readonly #publisher: BareProcess;
  readonly #consumer: BareProcess;

  private constructor(nats: BareNats, publisher: BareProcess, consumer: BareProcess) {
    this.#nats = nats;
    this.#publisher = publisher;
    this.#consumer = consumer;
  }

  static async start({ signal }: BenchContext, nats: BareNats): Promise<BareStream> {
    await using undo = new AsyncDisposableStack();
    const start = async (end: 'publish' | 'consume') =>
      undo.use(
        await BareProcess.start(streamProgram, signal, {
          nodeOptions: smallHeap,
          args: [end, nats.url],
        }),
      );
    await BareProcess.compile(streamProgram, signal, { args: ['publish', nats.url] });
    const stream = new BareStream(nats, await start('publish'), await start('consume'));
    undo.move();
    return stream;
  }

  async pass(question: { count: number; perS: number }): Promise<Pass> {
    const before = await this.#cpuMs();
    const [{ from }, { to, latenciesMs }] = await Promise.all([
      this.#publisher.ask(question, sentSchema),
      this.#consumer.ask(question, receivedSchema),
    ]);
    const cpuMs = ((await this.#cpuMs()) - before) / question.count;
    return { latenciesMs, perS: (question.count * 1_000) / (to - from), cpuMs };
  }

  async consumerRssMb(): Promise<number> {
    return rounded((await readUsage(this.#consumer.pid)).rssBytes / 1e6);
  }

  async #cpuMs(): Promise<number> {
    const pids = [this.#publisher.pid, this.#consumer.pid, this.#nats.pid];
    const usages = await Promise.all(pids.map(readUsage));
    return usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _publisher = this.#publisher;
    await using _consumer = this.#consumer;
  }
}

async function httpRoundTrip(url: string): Promise<void> {
  await (await request(url)).body.dump();
}

async function bareStart(): Promise<void> {
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
}

/** How long each took, after some that nobody counts. */
async function repeat(
  count: number,
  clock: Clock,
  work: () => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  const warmUp = Math.ceil(count / 5);
  for (let index = 0; index < warmUp + count; index += 1) {
    const startedAt = clock.monotonic();
    await work();
    times.push(clock.monotonic() - startedAt);
  }
  return times.slice(warmUp);
}
