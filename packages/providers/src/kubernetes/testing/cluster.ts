import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { AdminClient, type Json } from './admin-client.ts';

/** An API server for tests: the stand-in, or a real one. */
export interface ApiServer {
  /** `https://host:port`. */
  url: string;
  /** PEM of the authority of its certificate. */
  ca: string;
  /** The token of somebody who may do everything. */
  adminToken: string;
  /** Users without rights, and their tokens; each test takes one of its own. */
  users: ReadonlyArray<{ name: string; token: string }>;
  close(): Promise<void>;
}

export interface Rule {
  resources: string[];
  verbs: string[];
}

/** A namespace of its own in an API server, and whoever is to work in it. */
export interface TestNamespace {
  name: string;
  admin: AdminClient;
  /** `/api/v1/namespaces/<name>`. */
  path: string;
  /** A kubeconfig file of a user who has exactly these rights in the namespace. */
  grant(rules: Rule[]): Promise<string>;
  /** A kubeconfig file with this token, for this server or another one. */
  kubeconfig(login: { token: string; url?: string }): Promise<string>;
  dispose(): Promise<void>;
}

let users = 0;

export async function makeNamespace(server: ApiServer): Promise<TestNamespace> {
  const { url, ca, adminToken } = server;
  const admin = new AdminClient({ server: url, ca, token: adminToken });
  const name = `runners-${randomBytes(4).toString('hex')}`;
  const path = `/api/v1/namespaces/${name}`;
  const directory = await mkdtemp(join(tmpdir(), 'baton-kube-'));
  await admin.ok('POST', '/api/v1/namespaces', named('v1', 'Namespace', name));
  // What controllers make in a whole cluster.
  await admin.ok('POST', `${path}/serviceaccounts`, named('v1', 'ServiceAccount', 'default'));
  const kubeconfig: TestNamespace['kubeconfig'] = async (login) => {
    const file = join(directory, `${randomBytes(4).toString('hex')}.yaml`);
    await writeFile(file, kubeconfigText({ url, ca, namespace: name, ...login }), { mode: 0o600 });
    return file;
  };
  return {
    name,
    path,
    admin,
    kubeconfig,
    async grant(rules) {
      const user = server.users[users % server.users.length];
      users += 1;
      if (!user) throw new Error('the server has no users');
      await bindRole(admin, { namespace: name, user: user.name, rules });
      return await kubeconfig({ token: user.token });
    },
    async dispose() {
      for (const kind of ['pods', 'secrets', 'resourcequotas'])
        await admin.ok('DELETE', `${path}/${kind}?gracePeriodSeconds=0`);
      await admin.close();
      await rm(directory, { recursive: true });
    },
  };
}

function named(apiVersion: string, kind: string, name: string): Json {
  return { apiVersion, kind, metadata: { name } };
}

interface Grant {
  namespace: string;
  user: string;
  rules: Rule[];
}

async function bindRole(admin: AdminClient, { namespace, user, rules }: Grant): Promise<void> {
  const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  await admin.ok('POST', `${path}/roles`, {
    ...named(apiVersion, 'Role', user),
    rules: rules.map((rule) => ({ apiGroups: [''], ...rule })),
  });
  await admin.ok('POST', `${path}/rolebindings`, {
    ...named(apiVersion, 'RoleBinding', user),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
}

interface Login {
  url: string;
  ca: string;
  token: string;
  namespace: string;
}

function kubeconfigText({ url, ca, token, namespace }: Login): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace } }],
    clusters: [
      {
        name: 'test',
        cluster: {
          server: url,
          'certificate-authority-data': Buffer.from(ca).toString('base64'),
        },
      },
    ],
    users: [{ name: 'test', user: { token } }],
  });
}
