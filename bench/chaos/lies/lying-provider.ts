import {
  type ComputeProvider,
  type CreateRequest,
  type Instance,
  ProviderError,
} from '@baton/providers';
import type { Clock } from '@baton/shared/time';
import type { Call, LieKind, ToldLie } from './lie.ts';
import type { LieBook, Told } from './lie-book.ts';
import { isMeant, listAsTold } from './list-as-told.ts';

interface LiarOptions {
  inner: ComputeProvider;
  book: LieBook;
  /** The process that is lied to. */
  by: string;
  clock: Clock;
}

/**
 * A provider that says untrue things about the real one, as the book tells it to: what is there, what came of
 * a call, whether a call ends. It does what it is asked for or leaves it, and never anything else:
 * no instance is made, ended or lost by the lying itself. Its files are the truth.
 */
export function lyingProvider(options: LiarOptions): ComputeProvider {
  const liar = new Liar(options);
  return {
    ...options.inner,
    create: (request, signal) => liar.create(request, signal),
    list: (signal) => liar.list(signal),
    delete: (instanceId, signal) => liar.delete(instanceId, signal),
    capacity: (signal) => liar.capacity(signal),
  };
}

const hugeFree = 1_000;

class Liar {
  readonly #options: LiarOptions;
  /** Lies and runners that are noted already. */
  readonly #noted = new Set<string>();

  constructor(options: LiarOptions) {
    this.#options = options;
  }

  async create(request: CreateRequest, signal: AbortSignal): Promise<{ instanceId: string }> {
    const { inner } = this.#options;
    const lie = await this.#lieAbout('create', request.runnerId);
    if (!lie) return await inner.create(request, signal);
    if (!isDone(lie.what)) return await fail(lie.what, signal);
    // Before it is made: who is killed in between has told the lie.
    await this.#note(lie, [request]);
    await inner.create(request, signal);
    return await fail(lie.what, signal);
  }

  async list(signal: AbortSignal): Promise<Instance[]> {
    const { inner, book, clock } = this.#options;
    const lie = await this.#lieAbout('list');
    if (lie && isFailure(lie.what)) return await fail(lie.what, signal);
    const real = await inner.list(signal);
    const isOld = lie?.what === 'list late' || lie?.what === 'list frozen';
    const needed = isOld || (await book.mayLinger(clock.now()));
    const deleted = needed ? await book.deleted() : [];
    const told = listAsTold({ real, deleted, nowMs: clock.now() }, lie);
    if (lie) await this.#noteHidden(lie, real, told);
    return told;
  }

  async delete(instanceId: string, signal: AbortSignal): Promise<void> {
    const { inner, book, by, clock } = this.#options;
    const lie = await this.#lieAbout('delete', instanceId);
    if (lie && isFailure(lie.what) && !isDone(lie.what)) await fail(lie.what, signal);
    const instance = (await inner.list(signal)).find((found) => found.instanceId === instanceId);
    await inner.delete(instanceId, signal);
    if (instance) {
      const lingers = lie?.what === 'delete lingers' ? { lingersUntilMs: lie.untilMs } : {};
      await book.noteDeleted(by, { instance, atMs: clock.now(), ...lingers });
    }
    if (lie && isDone(lie.what)) await fail(lie.what, signal);
  }

  async capacity(signal: AbortSignal): Promise<{ free: number }> {
    const lie = await this.#lieAbout('capacity');
    if (!lie) return await this.#options.inner.capacity(signal);
    if (isFailure(lie.what)) return await fail(lie.what, signal);
    return { free: lie.what === 'capacity huge' ? hugeFree : 0 };
  }

  /** Undefined also when this runner is not among those that are lied about. */
  async #lieAbout(call: Call, id?: string): Promise<ToldLie | undefined> {
    const { book, by, clock } = this.#options;
    const lie = await book.find(call, by, clock.now());
    return lie && id !== undefined && !isMeant(lie, id) ? undefined : lie;
  }

  async #noteHidden(lie: ToldLie, real: readonly Instance[], told: readonly Instance[]) {
    const listed = new Set(told.map(({ instanceId }) => instanceId));
    await this.#note(
      lie,
      real.filter(({ instanceId }) => !listed.has(instanceId)),
    );
  }

  async #note(lie: ToldLie, runners: readonly Omit<Told, 'lie' | 'atMs' | 'by'>[]): Promise<void> {
    const { book, by, clock } = this.#options;
    const keyOf = ({ runnerId }: { runnerId: string }) => `${lie.id} ${runnerId}`;
    const fresh = runners.filter((runner) => !this.#noted.has(keyOf(runner)));
    for (const runner of fresh) this.#noted.add(keyOf(runner));
    const atMs = clock.now();
    await book.noteTold(
      fresh.map(({ runnerId, runnerName, scaleSetId }) => {
        return { lie: lie.id, atMs, by, runnerId, runnerName, scaleSetId };
      }),
    );
  }
}

function isFailure(what: LieKind): boolean {
  return /quota|transient|denied|hangs/.test(what);
}

/** Whether what is asked for is done before the answer is a lie. */
function isDone(what: LieKind): boolean {
  return what.endsWith(' though made') || what.endsWith(' though done');
}

async function fail(what: LieKind, signal: AbortSignal): Promise<never> {
  if (what.includes('hangs')) return await forEver(signal);
  const failure = what.includes('quota')
    ? 'quota'
    : what.includes('denied')
      ? 'denied'
      : 'transient';
  throw new ProviderError(failure, `chaos: ${what}`);
}

/** As long as whoever waits has patience. */
async function forEver(signal: AbortSignal): Promise<never> {
  return await new Promise<never>((_resolve, reject) => {
    const give = () =>
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
}
