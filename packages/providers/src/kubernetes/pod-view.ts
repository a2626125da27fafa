import type { Clock } from '@baton/shared/time';
import { ProviderError } from '../provider-error.ts';
import { KubernetesApiError } from './api-error.ts';
import { type Pod, podListSchema, watchEventSchema } from './api-schemas.ts';
import type { KubernetesApi } from './kubernetes-api.ts';

interface PodViewOptions {
  api: KubernetesApi;
  clock: Clock;
  /** `/api/v1/namespaces/<namespace>/pods`. */
  path: string;
  labelSelector: string;
  /** How long silence of the watch is believed, in ms; 0: there is no watch, every look is a list. */
  maxAgeMs: number;
}

/** Pods are listed anew after this time, whatever the watch says, in ms. */
const longestWithoutListMs = 300_000;
/** No list takes longer; what is older need not be remembered, in ms. */
const changeMemoryMs = 120_000;
const pageSize = '500';
/** The server ends a watch then; the next look opens another one. In seconds. */
const watchSeconds = '300';

/** Something that we know of a pod before a list may have seen it; without `pod`, it is gone. */
interface Change {
  atMs: number;
  pod?: Pod;
}

/**
 * What pods there are, without asking for all of them every time.
 *
 * A list of the API server, kept up to date by a watch that carries on exactly where the list ended.
 * The copy is shown only while it is proven: by a list, an event or a bookmark that came within
 * `maxAgeMs`. Otherwise pods are listed again, so a watch that is silently dead is believed for no
 * longer. A watch that ended for whatever reason (its time, 410 Gone, a broken connection) proves
 * nothing more: the next look lists, and opens the next watch. Nobody looks, nothing runs.
 *
 * What this process created or saw go is shown at once, also when a list that was under way then does
 * not know it yet. What other processes do is seen when the watch tells it.
 */
export class PodView {
  readonly #options: PodViewOptions;
  #pods = new Map<string, Pod>();
  #provenAtMs = Number.NEGATIVE_INFINITY;
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #watch: AbortController | undefined;
  /** The list that is under way, and the one that begins when it has ended. */
  #running: { startedAtMs: number; done: Promise<void> } | undefined;
  #queued: Promise<void> | undefined;
  /** By uid, oldest first. A uid never comes back, so that gone is final. */
  readonly #changes = new Map<string, Change>();

  constructor(options: PodViewOptions) {
    this.#options = options;
  }

  /** All pods, in no order. Rejects with the signal's reason as soon as it is aborted. */
  async pods(signal: AbortSignal): Promise<Pod[]> {
    signal.throwIfAborted();
    if (!this.#isProven()) await until(this.#listed(), signal);
    return [...this.#pods.values()];
  }

  created(pod: Pod): void {
    const { uid } = pod.metadata;
    if (this.#isGone(uid)) return;
    this.#remember(uid, { atMs: this.#nowMs(), pod });
    if (!this.#pods.has(uid)) this.#pods.set(uid, pod);
  }

  gone(uid: string): void {
    this.#remember(uid, { atMs: this.#nowMs() });
    this.#pods.delete(uid);
  }

  #nowMs(): number {
    return this.#options.clock.monotonic();
  }

  #isProven(): boolean {
    const nowMs = this.#nowMs();
    return (
      this.#watch !== undefined &&
      nowMs - this.#provenAtMs < this.#options.maxAgeMs &&
      nowMs - this.#listedAtMs < longestWithoutListMs
    );
  }

  /**
   * One list at a time, which outlives a caller that gives up. Whoever comes while one is under way
   * shares it if it began recently enough to prove anything, else the one after it.
   */
  #listed(): Promise<void> {
    if (!this.#running) return this.#begin();
    const ageMs = this.#nowMs() - this.#running.startedAtMs;
    if (ageMs < this.#options.maxAgeMs) return this.#running.done;
    this.#queued ??= this.#running.done
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined;
        return this.#begin();
      });
    return this.#queued;
  }

  #begin(): Promise<void> {
    const done = this.#list(new AbortController().signal).finally(() => {
      this.#running = undefined;
    });
    this.#running = { startedAtMs: this.#nowMs(), done };
    return done;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const startedAtMs = this.#nowMs();
    const { items, resourceVersion } = await this.#fetch(signal);
    const next = new Map(items.map((pod) => [pod.metadata.uid, pod]));
    for (const [uid, { atMs, pod }] of this.#changes) {
      if (pod === undefined) next.delete(uid);
      else if (atMs >= startedAtMs && !next.has(uid)) next.set(uid, pod);
    }
    // A watch that had told the same carries on. One that had not would now tell old news.
    const keepsUp = this.#watch !== undefined && isSame(this.#pods, next);
    this.#pods = next;
    if (!keepsUp && this.#options.maxAgeMs > 0) await this.#openWatch(resourceVersion);
    this.#provenAtMs = startedAtMs;
    this.#listedAtMs = startedAtMs;
  }

  async #fetch(signal: AbortSignal): Promise<{ items: Pod[]; resourceVersion: string }> {
    try {
      return await this.#fetchPages(signal);
    } catch (error) {
      // The list grew too old between two pages: all at once.
      if (!(error instanceof KubernetesApiError) || error.status !== 410) throw error;
      return await this.#fetchPages(signal, {});
    }
  }

  async #fetchPages(signal: AbortSignal, paging: Record<string, string> = { limit: pageSize }) {
    const items: Pod[] = [];
    let query = paging;
    for (;;) {
      const call = { ...this.#call(query), what: 'list pods' };
      const { metadata, items: page } = await this.#options.api.call(call, podListSchema, signal);
      items.push(...page);
      if (!metadata.continue) return { items, resourceVersion: metadata.resourceVersion };
      query = { ...paging, continue: metadata.continue };
    }
  }

  #call(query: Record<string, string>) {
    const { path, labelSelector } = this.#options;
    return { what: 'watch pods', method: 'GET' as const, path, query: { ...query, labelSelector } };
  }

  /** Without a watch every look is a list: right, and dear. A watch that is denied must be told. */
  async #openWatch(resourceVersion: string): Promise<void> {
    this.#watch?.abort();
    const watch = new AbortController();
    this.#watch = watch;
    const query = { resourceVersion, allowWatchBookmarks: 'true', timeoutSeconds: watchSeconds };
    try {
      const events = await this.#options.api.watch(this.#call(query), watch.signal);
      void this.#follow(events, watch);
    } catch (error) {
      watch.abort();
      this.#watch = undefined;
      if (error instanceof ProviderError && error.class === 'denied') throw error;
    }
  }

  async #follow(events: AsyncIterable<unknown>, watch: AbortController): Promise<void> {
    try {
      for await (const event of events) {
        if (this.#watch !== watch || !this.#apply(event)) break;
      }
    } catch {
      // Broken off: the next look lists again, and tells what is wrong if that fails too.
    } finally {
      watch.abort();
      if (this.#watch === watch) this.#watch = undefined;
    }
  }

  /** Whether the watch can go on. */
  #apply(event: unknown): boolean {
    const parsed = watchEventSchema.safeParse(event);
    if (!parsed.success || parsed.data.type === 'ERROR') return false;
    this.#provenAtMs = this.#nowMs();
    if (parsed.data.type === 'BOOKMARK') return true;
    const { type, object: pod } = parsed.data;
    const { uid } = pod.metadata;
    if (type === 'DELETED') this.gone(uid);
    else if (!this.#isGone(uid)) this.#pods.set(uid, pod);
    return true;
  }

  #remember(uid: string, change: Change): void {
    const oldestMs = change.atMs - changeMemoryMs;
    for (const [known, { atMs }] of this.#changes) {
      if (atMs >= oldestMs) break;
      this.#changes.delete(known);
    }
    this.#changes.delete(uid);
    this.#changes.set(uid, change);
  }

  #isGone(uid: string): boolean {
    const change = this.#changes.get(uid);
    return change !== undefined && change.pod === undefined;
  }
}

function isSame(a: ReadonlyMap<string, Pod>, b: ReadonlyMap<string, Pod>): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(
    ([uid, pod]) => b.get(uid)?.metadata.resourceVersion === pod.metadata.resourceVersion,
  );
}

async function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_resolve, reject) => {
    const stop = () =>
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal.addEventListener('abort', stop, { once: true });
    void work.then(
      () => signal.removeEventListener('abort', stop),
      () => signal.removeEventListener('abort', stop),
    );
  });
  return await Promise.race([work, aborted]);
}
