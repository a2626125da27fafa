import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SimControl } from '@baton/github-sim';
import { scaleSetIdOf } from '@baton/shared/contracts';
import type { Nats } from '@baton/shared/messaging';
import { openLeases } from '@baton/shared/stores';
import { type LocalStack, ServiceProcess } from '@baton/stack';
import { z } from 'zod';
import type { BenchContext } from './context.ts';
import { declareSets } from './declare-sets.ts';
import { JournalReader } from './journal-reader.ts';
import { firstPolls } from './polls.ts';
import { connectAsCli, simulatorOf, startStack } from './stack.ts';

const startedSchema = z.looseObject({ msg: z.literal('service starting'), time: z.iso.datetime() });

/**
 * NATS, the simulator and idle scale sets; the listeners are started by the benchmark. There is no
 * provisioner: the plans are written once, with free capacity.
 */
export class IdleStack implements AsyncDisposable {
  readonly stack: LocalStack;
  readonly sim: SimControl;
  readonly nats: Nats;
  readonly journal: JournalReader;
  readonly names: readonly string[];
  readonly #context: BenchContext;
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    context: BenchContext,
    parts: { stack: LocalStack; nats: Nats; names: readonly string[] },
    cleanup: AsyncDisposableStack,
  ) {
    this.stack = parts.stack;
    this.sim = simulatorOf(parts.stack);
    this.nats = parts.nats;
    this.names = parts.names;
    this.journal = new JournalReader(this.sim, context.clock);
    this.#context = context;
    this.#cleanup = cleanup;
  }

  static async start(
    context: BenchContext,
    { sets, simulatorArgs = [] }: { sets: number; simulatorArgs?: readonly string[] },
  ): Promise<IdleStack> {
    await using cleanup = new AsyncDisposableStack();
    const services = { listener: 0, provisioner: 0, janitor: 0 };
    const stack = cleanup.use(await startStack(context, { services, simulatorArgs }));
    const nats = cleanup.use(await connectAsCli(stack, context));
    const names = Array.from({ length: sets }, (_, index) => `idle-${index}`);
    const installationId = stack.variablesOf('cli').BATON_INSTALLATION_ID ?? '';
    const { configUrl } = stack;
    await declareSets(nats, names, { configUrl, installationId, clock: context.clock });
    return new IdleStack(context, { stack, nats, names }, cleanup.move());
  }

  /** Starts a listener; at the end it is killed. */
  startListener(instance: string, env: Record<string, string> = {}): ServiceProcess {
    const listener = new ServiceProcess({
      service: 'listener',
      instance,
      env: { ...this.stack.variablesOf('listener'), ...env },
      logFile: this.#logFile(instance),
    });
    this.#cleanup.defer(() => listener.kill());
    return listener;
  }

  /** When each of the sets was first polled at or after `fromMs`; resolves when all of them were. */
  async untilPolled(
    names: readonly string[],
    fromMs: number,
    timeoutMs: number,
  ): Promise<Map<string, number>> {
    const signal = AbortSignal.any([this.#context.signal, AbortSignal.timeout(timeoutMs)]);
    let polls = new Map<string, number>();
    await this.journal.until(
      0,
      (entries) => {
        polls = firstPolls(entries, fromMs);
        return names.every((name) => polls.has(name));
      },
      signal,
    );
    return new Map([...polls].filter(([name]) => names.includes(name)));
  }

  /** The scale sets whose lease this listener has. */
  async heldBy(instance: string): Promise<string[]> {
    const leases = await openLeases(this.nats);
    const held = await leases.getMany(this.names.map(scaleSetIdOf));
    const ids = held.filter(({ value }) => value.identity === instance).map(({ key }) => key);
    return this.names.filter((name) => ids.includes(scaleSetIdOf(name)));
  }

  /** When the listener's process of now had read its configuration, wall clock in ms. */
  async configuredAt({ instance, startedAt }: ServiceProcess): Promise<number> {
    const lines = (await readFile(this.#logFile(instance), 'utf8')).split('\n');
    const times = lines
      .filter((line) => line.includes('service starting'))
      .map((line) => Date.parse(startedSchema.parse(JSON.parse(line)).time));
    return times.find((time) => time >= startedAt) ?? Number.NaN;
  }

  #logFile(instance: string): string {
    return join(this.stack.dir, 'logs', `${instance}.log`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}
