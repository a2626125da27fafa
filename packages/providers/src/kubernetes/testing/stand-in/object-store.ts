import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../admin-client.ts';
import { alreadyExists, expired, notFound } from './api-status.ts';

const metadataSchema = z.looseObject({
  name: z.string(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  uid: z.string().default(''),
  resourceVersion: z.string().default(''),
  deletionTimestamp: z.string().optional(),
});
export const objectSchema = z.looseObject({ metadata: metadataSchema });
export type KubeObject = z.output<typeof objectSchema>;

/** Where objects of a kind live: `pods` of a namespace. */
export interface Collection {
  resource: string;
  namespace: string;
}

export interface StoreEvent {
  version: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  collection: Collection;
  object: KubeObject;
}

/**
 * The objects of a cluster, one counter of versions for all, and the events of the past for watches,
 * as far back as `compact` has left them.
 */
export class ObjectStore {
  #version = 100;
  #oldest = 0;
  readonly #objects = new Map<string, KubeObject>();
  readonly #events: StoreEvent[] = [];
  readonly #listeners = new Set<(event: StoreEvent) => void>();

  get version(): number {
    return this.#version;
  }

  get(collection: Collection, name: string): KubeObject {
    const object = this.#objects.get(keyOf(collection, name));
    if (!object) throw notFound(collection.resource, name);
    return object;
  }

  has(collection: Collection, name: string): boolean {
    return this.#objects.has(keyOf(collection, name));
  }

  list(collection: Collection): KubeObject[] {
    const prefix = keyOf(collection, '');
    const found = [...this.#objects].filter(([key]) => key.startsWith(prefix));
    return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  create(collection: Collection, object: KubeObject): KubeObject {
    const { name } = object.metadata;
    if (this.has(collection, name)) throw alreadyExists(collection.resource, name);
    const metadata = {
      ...object.metadata,
      namespace: collection.namespace,
      uid: randomUUID(),
      creationTimestamp: `${new Date().toISOString().slice(0, 19)}Z`,
    };
    return this.#write('ADDED', collection, { ...object, metadata });
  }

  replace(collection: Collection, object: KubeObject): KubeObject {
    return this.#write('MODIFIED', collection, object);
  }

  remove(collection: Collection, name: string): KubeObject {
    const object = this.get(collection, name);
    const written = this.#write('DELETED', collection, object);
    this.#objects.delete(keyOf(collection, name));
    return written;
  }

  /** Time passes in other namespaces: the version grows. */
  advance(): void {
    this.#version += 1;
  }

  /** Forgets the past, as etcd does from time to time: who watches from there gets 410. */
  compact(): void {
    this.#oldest = this.#version;
    this.#events.length = 0;
  }

  /** Events after a version, which must be known still. */
  since(version: number): StoreEvent[] {
    if (version < this.#oldest)
      throw expired(`too old resource version: ${version} (${this.#oldest})`);
    return this.#events.filter((event) => event.version > version);
  }

  onEvent(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #write(type: StoreEvent['type'], collection: Collection, object: Json): KubeObject {
    this.#version += 1;
    const version = this.#version;
    const parsed = objectSchema.parse(structuredClone(object));
    parsed.metadata.resourceVersion = String(version);
    if (type !== 'DELETED') this.#objects.set(keyOf(collection, parsed.metadata.name), parsed);
    const event = { version, type, collection, object: parsed };
    this.#events.push(event);
    for (const listener of this.#listeners) listener(event);
    return parsed;
  }
}

function keyOf({ resource, namespace }: Collection, name: string): string {
  return `${resource}/${namespace}/${name}`;
}
