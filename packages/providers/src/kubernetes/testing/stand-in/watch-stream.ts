import type { ServerResponse } from 'node:http';
import { ApiStatus } from './api-status.ts';
import type { Collection, KubeObject, ObjectStore, StoreEvent } from './object-store.ts';

interface WatchOptions {
  collection: Collection;
  isSelected: (object: KubeObject) => boolean;
  query: URLSearchParams;
}

/** One watch: a stream of events from a version on, bookmarks where asked for, and an end in time. */
export class WatchStream {
  readonly #store: ObjectStore;
  readonly #response: ServerResponse;
  readonly #options: WatchOptions;
  readonly #stop: () => void;
  readonly #ending: NodeJS.Timeout;
  /** A silent watch is open and tells nothing: what a dead connection looks like. */
  isSilent = false;

  constructor(store: ObjectStore, response: ServerResponse, options: WatchOptions) {
    this.#store = store;
    this.#response = response;
    this.#options = options;
    const { query } = options;
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    this.#stop = store.onEvent((event) => this.#tell(event));
    const seconds = Number(query.get('timeoutSeconds') ?? 1800);
    this.#ending = setTimeout(() => this.end(), seconds * 1000);
    response.on('close', () => this.end());
    this.#tellPast(Number(query.get('resourceVersion') ?? 0));
  }

  end(): void {
    clearTimeout(this.#ending);
    this.#stop();
    this.#response.end();
  }

  /** Says how far the watch has come, if its client wants to know. */
  bookmark(): void {
    if (this.isSilent || this.#options.query.get('allowWatchBookmarks') !== 'true') return;
    const metadata = { resourceVersion: String(this.#store.version), creationTimestamp: null };
    this.#write({ type: 'BOOKMARK', object: { kind: 'Pod', apiVersion: 'v1', metadata } });
  }

  #tellPast(version: number): void {
    try {
      for (const event of this.#store.since(version)) this.#tell(event);
    } catch (error) {
      if (!(error instanceof ApiStatus)) throw error;
      this.#write({ type: 'ERROR', object: error });
      this.end();
    }
  }

  #tell({ type, collection, object }: StoreEvent): void {
    const own = this.#options.collection;
    const isOwn = collection.resource === own.resource && collection.namespace === own.namespace;
    if (isOwn && !this.isSilent && this.#options.isSelected(object)) this.#write({ type, object });
  }

  #write(event: unknown): void {
    if (!this.#response.writableEnded) this.#response.write(`${JSON.stringify(event)}\n`);
  }
}
