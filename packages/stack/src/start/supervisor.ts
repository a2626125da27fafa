import { AppError, errorText } from '@baton/shared/errors';
import { type Clock, isAborted } from '@baton/shared/time';
import type { LocalStack } from '../local-stack.ts';
import { aborted } from './aborted.ts';

/** A process that is started again whenever it ends. */
interface Unit {
  name: string;
  /** Resolves with its last words when it has ended. */
  ended: () => Promise<string>;
  /** Resolves when it does its work again. */
  startAgain: (signal: AbortSignal) => Promise<void>;
  restartAfterMs: number;
}

interface SupervisorOptions {
  stack: LocalStack;
  clock: Clock;
  say: (text: string) => void;
}

const readyTimeoutMs = 30_000;
/** So many ends within so many ms are too many. */
const tooManyEnds = { count: 5, withinMs: 10_000 };

/** Keeps the processes of a stack running. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  /** Who waits for a process to be back. */
  readonly #waiting = new Map<string, (atMs: number) => void>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Runs until `signal` is aborted; rejects when something cannot be kept running. */
  async run(signal: AbortSignal): Promise<void> {
    const { stack } = this.#options;
    const units = [...stack.services.map(serviceUnit), natsUnit(stack)];
    await Promise.all([
      ...units.map((unit) => this.#keep(unit, signal)),
      Promise.race([aborted(signal), stack.simulatorEnded()]).then((failure) => {
        if (failure) throw failure;
      }),
    ]);
  }

  /** Resolves when this process (an instance, or `nats`) ended and is back: at that time. */
  nextReturn(name: string): Promise<number> {
    return new Promise((resolve) => this.#waiting.set(name, resolve));
  }

  async #keep(unit: Unit, signal: AbortSignal): Promise<void> {
    const { clock, say } = this.#options;
    const ends: number[] = [];
    for (;;) {
      const lastWords = await Promise.race([aborted(signal), unit.ended()]);
      if (lastWords === undefined || signal.aborted) return;
      ends.push(clock.monotonic());
      const lately = ends.filter((at) => at > clock.monotonic() - tooManyEnds.withinMs).length;
      if (lately >= tooManyEnds.count) throw keepsEnding(unit.name, lately, lastWords);
      say(`${unit.name} ended, starting it again`);
      try {
        await clock.sleep(unit.restartAfterMs * 2 ** (lately - 1), signal);
        await unit.startAgain(AbortSignal.any([signal, AbortSignal.timeout(readyTimeoutMs)]));
        say(`${unit.name} is back`);
        this.#waiting.get(unit.name)?.(clock.monotonic());
      } catch (error) {
        if (isAborted(signal)) return;
        say(`${unit.name}: ${errorText(error).split('\n')[0] ?? ''}`);
      }
    }
  }
}

function serviceUnit(service: LocalStack['services'][number]): Unit {
  return {
    name: service.instance,
    restartAfterMs: 200,
    ended: async () => {
      await service.exited();
      return service.recentLines.join('\n');
    },
    startAgain: async (signal) => {
      service.restart();
      await service.ready(signal);
    },
  };
}

/** nats-server counts as back when it takes connections and every service says that it works. */
function natsUnit(stack: LocalStack): Unit {
  return {
    name: 'nats',
    restartAfterMs: 500,
    ended: async () => {
      await stack.natsExited();
      return 'see nats.log';
    },
    startAgain: async (signal) => {
      await stack.restartNats();
      await Promise.allSettled(stack.services.map((service) => service.ready(signal)));
    },
  };
}

function keepsEnding(name: string, count: number, lastWords: string): AppError {
  const seconds = tooManyEnds.withinMs / 1_000;
  return new AppError('unexpected', `${name} ended ${count} times in ${seconds} s:\n${lastWords}`);
}
