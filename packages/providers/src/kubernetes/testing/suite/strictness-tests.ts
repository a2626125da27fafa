import { describe, expect, test } from 'vitest';
import type { Json } from '../admin-client.ts';
import type { KubeBench } from '../kube-bench.ts';
import { plainPod } from './pods.ts';

const container = { name: 'c', image: 'none' };

function withSpec(spec: Json): Json {
  const base = { automountServiceAccountToken: false, containers: [container] };
  return { ...plainPod('specified'), spec: { ...base, ...spec } };
}

/** The API server itself: what it refuses, and with which words code goes by. */
const pods: Array<[string, Json, number, string | undefined, string]> = [
  ['a name in capitals', plainPod('Upper'), 422, 'Invalid', 'metadata.name: Invalid value'],
  [
    'a label with a slash in it',
    plainPod('labelled', { a: 'b/c' }),
    422,
    'Invalid',
    'metadata.labels: Invalid value',
  ],
  ['no containers', withSpec({ containers: [] }), 422, 'Invalid', 'spec.containers: Required'],
  [
    'a container without an image',
    withSpec({ containers: [{ name: 'c' }] }),
    422,
    'Invalid',
    'spec.containers[0].image: Required value',
  ],
  [
    'two containers of one name',
    withSpec({ containers: [container, container] }),
    422,
    'Invalid',
    'spec.containers[1].name: Duplicate value: "c"',
  ],
  [
    'a volume of two types',
    withSpec({ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/' } }] }),
    422,
    'Invalid',
    'may not specify more than 1 volume type',
  ],
  [
    'a resource version',
    { ...plainPod('old'), metadata: { name: 'old', resourceVersion: '1' } },
    500,
    undefined,
    'resourceVersion should not be set on objects to be created',
  ],
  [
    'another namespace',
    { ...plainPod('elsewhere'), metadata: { name: 'elsewhere', namespace: 'kube-system' } },
    400,
    'BadRequest',
    'the namespace of the provided object does not match',
  ],
  ['another kind', { ...plainPod('kind'), kind: 'Secret' }, 400, 'BadRequest', 'cannot be handled'],
  [
    'a service account that is not there',
    withSpec({ serviceAccountName: 'nobody' }),
    403,
    'Forbidden',
    'serviceaccount "nobody" not found',
  ],
];

export function strictnessTests(bench: () => KubeBench): void {
  describe('the API server refuses', () => {
    invalidTests(bench);
    conflictTests(bench);
  });
}

function invalidTests(bench: () => KubeBench): void {
  test.each(pods)('a pod with %s', async (_what, pod, code, reason, text) => {
    const { admin, path } = bench().namespace;

    const { status, body } = await admin.request('POST', `${path}/pods`, pod);

    expect([status, body.kind, body.reason]).toEqual([code, 'Status', reason]);
    expect(body.message).toContain(text);
  });

  test('what is not there', async () => {
    const { admin, path } = bench().namespace;
    const absent = await admin.request('GET', `${path}/pods/absent`);
    const nowhere = await admin.request(
      'POST',
      '/api/v1/namespaces/nowhere/pods',
      plainPod('lost'),
    );

    expect(absent).toMatchObject({
      status: 404,
      body: { reason: 'NotFound', message: 'pods "absent" not found' },
    });
    expect(nowhere).toMatchObject({
      status: 404,
      body: { reason: 'NotFound', message: 'namespaces "nowhere" not found' },
    });
  });

  test('a Secret whose data is no base64', async () => {
    const { admin, path } = bench().namespace;
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      data: { a: 'no base64!' },
    };

    const { status, body } = await admin.request('POST', `${path}/secrets`, secret);

    expect({ status, body }).toMatchObject({ status: 400, body: { reason: 'BadRequest' } });
  });
}

function conflictTests(bench: () => KubeBench): void {
  test('a second pod of the same name', async () => {
    const { admin, path } = bench().namespace;
    await admin.ok('POST', `${path}/pods`, plainPod('twin'));

    const { status, body } = await admin.request('POST', `${path}/pods`, plainPod('twin'));

    expect({ status, body }).toMatchObject({ status: 409, body: { reason: 'AlreadyExists' } });
    expect(body.message).toBe('pods "twin" already exists');
  });

  test('to delete a pod by a uid that is not its own', async () => {
    const { admin, path } = bench().namespace;
    await admin.ok('POST', `${path}/pods`, plainPod('other'));
    const preconditions = { uid: 'f0000000-0000-0000-0000-000000000000' };

    const { status, body } = await admin.request('DELETE', `${path}/pods/other`, {
      preconditions,
    });

    expect({ status, body }).toMatchObject({ status: 409, body: { reason: 'Conflict' } });
    expect(body.message).toContain('does not match the UID in record');
  });

  test('to bind a pod twice', async () => {
    const { kubelet, namespace } = bench();
    const { admin, path } = namespace;
    kubelet.isHeld = () => true;
    await admin.ok('POST', `${path}/pods`, plainPod('bound'));
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'bound' },
      target: { apiVersion: 'v1', kind: 'Node', name: 'node-1' },
    };
    await admin.ok('POST', `${path}/pods/bound/binding`, binding);

    const { status, body } = await admin.request('POST', `${path}/pods/bound/binding`, binding);

    expect({ status, body }).toMatchObject({ status: 409, body: { reason: 'Conflict' } });
    expect(body.message).toContain('is already assigned to node "node-1"');
  });
}
