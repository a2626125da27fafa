import { SimClient } from '@baton/github-sim/sim-client';
import type { KV } from 'nats';
import { z } from 'zod';
import type { BenchContext } from '../context.ts';
import { IdleStack } from '../idle-stack.ts';
import { inParallel } from '../in-parallel.ts';
import { bare } from '../measure/bare.ts';
import { type BareNats, startBareNats } from '../measure/bare-nats.ts';
import { BareProcess, smallHeap } from '../measure/bare-process.ts';
import { type Floor, measureFloor } from '../measure/floor.ts';
import { rangeOf, rounded } from '../measure/percentiles.ts';
import { readUsage } from '../measure/process-usage.ts';
import { healthUrlOf, simToken } from '../stack.ts';

/** What the same costs a bare program, `bare-deleter.ts`; medians of three runs. */
export interface JanitorFloor extends Floor {
  marked200Ms: number;
  outage100Ms: number;
  deletionsPerS: number;
  /** Of its process. */
  cpuMsPerDeletion: number;
  /** GitHub's list of 10,000 runners. */
  list10kMs: number;
  /** After all of that. */
  rssMb: number;
}

const program = new URL('./bare-deleter.ts', import.meta.url);
/** As many deletions at once as a janitor has under way. */
const hands = 50;
const runs = 3;
const slow = { deleteMs: 200, isGitHubThere: true };
const instant = { deleteMs: 0, isGitHubThere: true };
const outage = { deleteMs: 200, isGitHubThere: false };
const many = 10_000;
const scaleSet = 'bare';
/** About as long as the record of a runner. */
const record = 'r'.repeat(500);
const writeParallel = 256;
const doneSchema = z.object({ ms: z.number() });

/** With a simulator and a nats-server of its own. */
export async function measureJanitorFloor(context: BenchContext): Promise<JanitorFloor> {
  await using idle = await IdleStack.start({ ...context, say: () => undefined }, { sets: 0 });
  const floor = await measureFloor(context, healthUrlOf(idle.stack));
  await using nats = await startBareNats(context, { maxAckPending: hands });
  const { signal } = context;
  await BareProcess.compile(program, signal, { args: [nats.url] });
  const options = { args: [nats.url], nodeOptions: smallHeap };
  await using deleter = await BareProcess.start(program, signal, options);
  const made = await BareDeletions.open(idle, nats, deleter);
  await made.run(1_000, instant);
  const fast = await repeat(() => made.run(1_000, instant));
  const marked = await repeat(() => made.run(200, slow));
  const away = await repeat(() => made.run(100, outage));
  const lists = await made.lists(many);
  return {
    ...floor,
    marked200Ms: rangeOf(marked.map(({ ms }) => ms)).median,
    outage100Ms: rangeOf(away.map(({ ms }) => ms)).median,
    deletionsPerS: rangeOf(fast.map(({ perS }) => perS)).median,
    cpuMsPerDeletion: rangeOf(fast.map(({ cpuMs }) => cpuMs)).median,
    list10kMs: rangeOf(lists).median,
    rssMb: rounded((await readUsage(deleter.pid)).rssBytes / 1e6),
  };
}

async function repeat<T>(work: () => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  for (let run = 0; run < runs; run += 1) done.push(await work());
  return done;
}

/** Makes what the bare program deletes. */
class BareDeletions {
  readonly #idle: IdleStack;
  readonly #nats: BareNats;
  readonly #deleter: BareProcess;
  readonly #keys: KV;
  readonly #gitHub: { runnersUrl: string; token: string };
  #count = 0;

  private constructor(
    parts: { idle: IdleStack; nats: BareNats; deleter: BareProcess; keys: KV },
    gitHub: { runnersUrl: string; token: string },
  ) {
    this.#idle = parts.idle;
    this.#nats = parts.nats;
    this.#deleter = parts.deleter;
    this.#keys = parts.keys;
    this.#gitHub = gitHub;
  }

  static async open(idle: IdleStack, nats: BareNats, deleter: BareProcess): Promise<BareDeletions> {
    const client = new SimClient(new URL(idle.stack.configUrl).origin);
    await client.authenticate(simToken);
    await client.scaleSet(scaleSet);
    const keys = await nats.connection.jetstream().views.kv(bare.bucket);
    const runnersUrl = `${client.tenant}_apis/distributedtask/pools/0/agents`;
    return new BareDeletions({ idle, nats, deleter, keys }, { runnersUrl, token: client.admin });
  }

  async run(count: number, { deleteMs, isGitHubThere }: typeof slow) {
    const ids = await this.#register(count);
    const jetstream = this.#nats.connection.jetstream();
    await inParallel(ids, writeParallel, (id) => this.#keys.put(id, record));
    await inParallel(ids, writeParallel, (id) => jetstream.publish(bare.subject, id));
    const before = await readUsage(this.#deleter.pid);
    const gitHub = isGitHubThere ? this.#gitHub : undefined;
    const question = { what: 'delete', count, deleteMs, gitHub };
    const { ms } = await this.#deleter.ask(question, doneSchema);
    const { cpuMs } = await readUsage(this.#deleter.pid);
    return { ms, perS: (count * 1_000) / ms, cpuMs: (cpuMs - before.cpuMs) / count };
  }

  /** How long a look at so many took, each time. */
  async lists(count: number): Promise<number[]> {
    await this.#register(count);
    const question = { what: 'list', gitHub: this.#gitHub };
    return await repeat(async () => (await this.#deleter.ask(question, doneSchema)).ms);
  }

  async #register(count: number): Promise<string[]> {
    const names = Array.from({ length: count }, () => {
      this.#count += 1;
      return `bare-${this.#count}`;
    });
    return (await this.#idle.sim.registerRunners(scaleSet, names)).map(String);
  }
}
