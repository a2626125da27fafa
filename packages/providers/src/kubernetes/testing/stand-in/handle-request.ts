import { z } from 'zod';
import { admitPod } from './admit-pod.ts';
import { badRequest, expired } from './api-status.ts';
import type { Collection, KubeObject, ObjectStore } from './object-store.ts';
import { bindPod, deleteObject, patchStatus, readDeleteOptions } from './pod-operations.ts';
import type { Route } from './route.ts';
import { kindOf, readObject } from './validate-object.ts';

interface Asked {
  route: Route;
  query: URLSearchParams;
  body: unknown;
}

interface Answered {
  code: number;
  body: unknown;
}

/** Every verb but `watch`. @throws ApiStatus */
export function handleRequest(store: ObjectStore, asked: Asked): Answered {
  const { route, query, body } = asked;
  const { resource, namespace, name } = route;
  const collection = { resource, namespace };
  switch (route.verb) {
    case 'get':
      return { code: 200, body: store.get(collection, name) };
    case 'list':
      return { code: 200, body: list(store, asked) };
    case 'create':
      return { code: 201, body: create(store, asked) };
    case 'patch':
      return { code: 200, body: patchStatus(store, collection, name, body) };
    case 'delete': {
      const options = readDeleteOptions(body, query);
      return {
        code: 200,
        body: deleteObject(store, collection, store.get(collection, name), options),
      };
    }
    default: {
      const options = readDeleteOptions(body, query);
      const items = selected(store, asked);
      for (const item of items) deleteObject(store, collection, item, options);
      return { code: 200, body: { ...listHead(resource), metadata: {}, items } };
    }
  }
}

function create(store: ObjectStore, { route, query, body }: Asked): unknown {
  const { resource, namespace, name, subresource } = route;
  const collection = { resource, namespace };
  if (subresource === 'binding') bindPod(store, collection, name, body);
  if (subresource === 'eviction') evict(store, collection, name, body);
  if (subresource !== '') return { kind: 'Status', apiVersion: 'v1', status: 'Success' };
  if (namespace !== '') store.get({ resource: 'namespaces', namespace: '' }, namespace);
  const isStrict = query.get('fieldValidation') === 'Strict';
  const object = readObject({ resource, namespace, body, isStrict });
  if (resource !== 'pods') return store.create(collection, object);
  const admitted = admitPod(store, namespace, object);
  return store.create(collection, admitted);
}

const evictionSchema = z.looseObject({ deleteOptions: z.unknown() });

function evict(store: ObjectStore, collection: Collection, name: string, body: unknown): void {
  const { deleteOptions } = evictionSchema.parse(body);
  const options = readDeleteOptions(deleteOptions, new URLSearchParams());
  deleteObject(store, collection, store.get(collection, name), options);
}

/** Pages are cut by name; a page of a list that has grown too old is refused. */
function list(store: ObjectStore, asked: Asked): unknown {
  const { route, query } = asked;
  const all = selected(store, asked);
  const limit = Number(query.get('limit') ?? 0);
  const token = query.get('continue');
  const [from, version] = token === null ? ['', store.version] : readToken(store, token);
  const rest = all.filter(({ metadata }) => metadata.name > from);
  const items = limit > 0 ? rest.slice(0, limit) : rest;
  const last = items.at(-1)?.metadata.name;
  const more = rest.length > items.length ? { continue: `${version}/${last}` } : {};
  const metadata = { resourceVersion: String(version), ...more };
  return { ...listHead(route.resource), metadata, items };
}

function readToken(store: ObjectStore, token: string): [string, number] {
  const [version, name] = token.split('/');
  if (version === undefined || name === undefined) throw badRequest('continue key is not valid');
  try {
    store.since(Number(version));
  } catch {
    throw expired(
      'The provided continue parameter is too old to display a consistent list result.',
    );
  }
  return [name, Number(version)];
}

function listHead(resource: string): { kind: string; apiVersion: string } {
  return { kind: `${kindOf(resource)}List`, apiVersion: 'v1' };
}

function selected(store: ObjectStore, { route, query }: Asked): KubeObject[] {
  const { resource, namespace } = route;
  return store.list({ resource, namespace }).filter(selectorOf(query));
}

/** Equality-based selectors; others are refused. */
export function selectorOf(query: URLSearchParams): (object: KubeObject) => boolean {
  const text = query.get('labelSelector');
  if (!text) return () => true;
  const wanted = text.split(',').map((part) => part.split('='));
  if (wanted.some((part) => part.length !== 2)) throw badRequest('unable to parse requirement');
  return ({ metadata }) => wanted.every(([key, value]) => metadata.labels?.[key ?? ''] === value);
}
