import { ApiStatus } from './api-status.ts';

/** What a request is about, in the words of RBAC. */
export interface Route {
  verb: string;
  group: string;
  resource: string;
  namespace: string;
  name: string;
  subresource: string;
}

const groups: Record<string, { group: string; resources: string[] }> = {
  '/api/v1': {
    group: '',
    resources: ['namespaces', 'pods', 'resourcequotas', 'secrets', 'serviceaccounts'],
  },
  '/apis/rbac.authorization.k8s.io/v1': {
    group: 'rbac.authorization.k8s.io',
    resources: ['roles', 'rolebindings'],
  },
};
const subresources = ['pods/binding', 'pods/status', 'pods/eviction', 'resourcequotas/status'];

/** Reads a request's method and path. @throws ApiStatus 404 for what the stand-in does not serve. */
export function readRoute(method: string, url: URL): Route {
  const found = Object.entries(groups).find(([path]) => url.pathname.startsWith(`${path}/`));
  if (!found) throw unknownPath();
  const [root, { group, resources }] = found;
  const parts = url.pathname
    .slice(root.length + 1)
    .split('/')
    .map(decodeURIComponent);
  const isNamespaced = parts[0] === 'namespaces' && parts.length > 2;
  const [resource = '', name = '', subresource = '', ...rest] = isNamespaced
    ? parts.slice(2)
    : parts;
  const namespace = isNamespaced ? (parts[1] ?? '') : '';
  const known = subresource === '' || subresources.includes(`${resource}/${subresource}`);
  if (!resources.includes(resource) || !known || rest.length > 0) throw unknownPath();
  if ((resource === 'namespaces') === isNamespaced) throw unknownPath();
  const verb = verbOf(method, { name, isWatch: url.searchParams.get('watch') === 'true' });
  return { verb, group, resource, namespace, name, subresource };
}

function unknownPath(): ApiStatus {
  return new ApiStatus(404, 'NotFound', 'the server could not find the requested resource');
}

function verbOf(method: string, { name, isWatch }: { name: string; isWatch: boolean }): string {
  if (method === 'GET') return name ? 'get' : isWatch ? 'watch' : 'list';
  if (method === 'DELETE') return name ? 'delete' : 'deletecollection';
  if (method === 'POST') return 'create';
  if (method === 'PATCH' && name) return 'patch';
  const message = 'the server does not allow this method on the requested resource';
  throw new ApiStatus(405, 'MethodNotAllowed', message);
}
