import { fileURLToPath } from 'node:url';
import { systemClock } from '@baton/shared/time';
import type { ComputeProvider } from '../../provider.ts';
import { createProvider, providerDefinitionSchema } from '../../registry.ts';
import { type ApiServer, makeNamespace, type Rule, type TestNamespace } from './cluster.ts';
import { documentedRules } from './documented-rules.ts';
import { FakeKubelet } from './fake-kubelet.ts';

const obeyProgram = fileURLToPath(new URL('./obey.sh', import.meta.url));

interface Changes {
  installationId?: string;
  [definitionField: string]: unknown;
}

/** A namespace with a fake kubelet, and providers that have exactly the documented rights in it. */
export interface KubeBench {
  namespace: TestNamespace;
  kubelet: FakeKubelet;
  provider: ComputeProvider;
  foreign: ComputeProvider;
  second: ComputeProvider;
  /** A provider with a definition of its own. */
  make: (changes?: Changes) => Promise<ComputeProvider>;
  /** One whose user has other rights. */
  makeWith: (rules: Rule[], changes?: Changes) => Promise<ComputeProvider>;
  /** One of somebody who may do everything. */
  makeWithAdmin: (changes?: Changes) => Promise<ComputeProvider>;
  makeAsStranger: () => Promise<ComputeProvider>;
  /** One whose API server is said to be elsewhere. */
  makeAt: (url: string) => Promise<ComputeProvider>;
  dispose: () => Promise<void>;
}

/**
 * `listMaxAgeMs: 0` by default: the conformance suite wants to see at once what another service did,
 * and a watch tells that a few ms later. Tests of the watch set it.
 */
export async function aKubeBench(server: ApiServer): Promise<KubeBench> {
  const namespace = await makeNamespace(server);
  const kubelet = new FakeKubelet(namespace.admin, namespace.path);
  const kubeconfig = await namespace.grant(await documentedRules());
  const makeAs = async (file: string, changes: Changes) => {
    const { installationId = 'conformance', ...fields } = changes;
    const definition = providerDefinitionSchema.parse({
      type: 'kubernetes',
      kubeconfig: file,
      namespace: namespace.name,
      podTemplate: { spec: { containers: [{ name: 'runner', command: [obeyProgram] }] } },
      gracePeriodSeconds: 1,
      listMaxAgeMs: 0,
      ...fields,
    });
    return await createProvider(definition, { installationId, clock: systemClock, env: {} });
  };
  return {
    namespace,
    kubelet,
    provider: await makeAs(kubeconfig, {}),
    foreign: await makeAs(kubeconfig, { installationId: 'other' }),
    second: await makeAs(kubeconfig, {}),
    make: async (changes = {}) => await makeAs(kubeconfig, changes),
    makeWith: async (rules, changes = {}) => await makeAs(await namespace.grant(rules), changes),
    makeWithAdmin: async (changes = {}) =>
      await makeAs(await namespace.kubeconfig({ token: server.adminToken }), changes),
    makeAsStranger: async () =>
      await makeAs(await namespace.kubeconfig({ token: 'no-such-token' }), {}),
    makeAt: async (url) => await makeAs(await namespace.kubeconfig({ token: 'any', url }), {}),
    dispose: async () => {
      await kubelet.stop();
      await namespace.dispose();
    },
  };
}
