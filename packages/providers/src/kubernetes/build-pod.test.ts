import { describe, expect, test } from 'vitest';
import { aRequest } from '../testing/a-request.ts';
import { buildPod } from './build-pod.ts';
import { readSettings } from './read-settings.ts';
import { aDefinition } from './testing/definitions.ts';

const allow = { containerModes: ['dind', 'kubernetes', 'kubernetes-novolume'] };

function build(settings: unknown, changes: Record<string, unknown> = {}, hasSidecars = true) {
  const definition = aDefinition({ allow, ...changes });
  const read = readSettings(settings, definition);
  return buildPod({ definition, settings: read, request: aRequest(), hasSidecars });
}

function mode(type: string, more: object = {}) {
  return { containerMode: { type, ...more } };
}

describe('buildPod', () => {
  test('makes a runner that runs once, has its JIT config by reference and no token', () => {
    const { metadata, spec } = build(undefined);

    expect(metadata).toEqual({
      name: 'baton-runner-1',
      labels: {
        'app.kubernetes.io/managed-by': 'baton',
        'baton/installation': 'conformance',
        'baton/scale-set': 'set-1',
        'baton/runner': 'runner-1',
        'baton/generation': 'g1',
      },
      annotations: {
        'karpenter.sh/do-not-disrupt': 'true',
        'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
        'baton/scale-set': 'set-1',
        'baton/runner': 'runner-1',
        'baton/runner-name': 'baton-runner-1',
        'baton/generation': 'g1',
      },
    });
    expect(spec).toEqual({
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'runner',
          image: 'ghcr.io/actions/actions-runner:latest',
          command: ['/home/runner/run.sh'],
          env: [
            {
              name: 'ACTIONS_RUNNER_INPUT_JITCONFIG',
              valueFrom: { secretKeyRef: { name: 'baton-runner-1-jit', key: 'jitconfig' } },
            },
          ],
        },
      ],
    });
  });

  test("lays the scale set's template over the provider's", () => {
    const podTemplate = {
      metadata: { labels: { team: 'ci', tier: 'low' } },
      spec: { nodeSelector: { pool: 'ci' }, containers: [{ name: 'runner', image: 'ours:1' }] },
    };
    const template = {
      metadata: { labels: { tier: 'high' }, annotations: { 'karpenter.sh/do-not-disrupt': 'no' } },
      spec: { containers: [{ name: 'runner', resources: { requests: { cpu: '2' } } }] },
    };

    const { metadata, spec } = build({ template }, { podTemplate });

    expect(metadata.labels).toMatchObject({ team: 'ci', tier: 'high' });
    expect(metadata.annotations['karpenter.sh/do-not-disrupt']).toBe('no');
    expect(spec).toMatchObject({
      nodeSelector: { pool: 'ci' },
      containers: [{ image: 'ours:1', resources: { requests: { cpu: '2' } } }],
    });
  });

  test('no template takes the JIT config from elsewhere', () => {
    const env = [{ name: 'ACTIONS_RUNNER_INPUT_JITCONFIG', value: 'mine' }];

    const { spec } = build({ template: { spec: { containers: [{ name: 'runner', env }] } } });

    const secretKeyRef = { name: 'baton-runner-1-jit', key: 'jitconfig' };
    expect(spec.containers?.[0]?.env).toEqual([
      { name: 'ACTIONS_RUNNER_INPUT_JITCONFIG', valueFrom: { secretKeyRef } },
    ]);
  });

  test.each([
    ['the definition names a service account', {}, { serviceAccountName: 'ci' }, undefined],
    ['a template asks for it', { automountServiceAccountToken: true }, {}, true],
  ])('gives a token when %s', (_what, spec, changes, expected) => {
    const built = build({ template: { spec } }, changes);

    expect(built.spec.automountServiceAccountToken).toBe(expected);
  });
});

describe('container mode dind', () => {
  test('runs Docker as a sidecar that lets the pod end', () => {
    const { spec } = build(mode('dind'));

    expect(spec.containers).toHaveLength(1);
    expect(spec).toMatchObject({
      containers: [
        {
          name: 'runner',
          env: [
            { name: 'DOCKER_HOST', value: 'unix:///var/run/docker.sock' },
            { name: 'RUNNER_WAIT_FOR_DOCKER_IN_SECONDS', value: '120' },
            { name: 'ACTIONS_RUNNER_INPUT_JITCONFIG' },
          ],
          volumeMounts: [{ mountPath: '/home/runner/_work' }, { mountPath: '/var/run' }],
        },
      ],
      initContainers: [
        { name: 'init-dind-externals', image: 'ghcr.io/actions/actions-runner:latest' },
        {
          name: 'dind',
          image: 'docker:dind',
          restartPolicy: 'Always',
          securityContext: { privileged: true },
        },
      ],
      volumes: [{ name: 'work' }, { name: 'dind-sock' }, { name: 'dind-externals' }],
    });
  });

  test('runs Docker as a container where the cluster knows no sidecars', () => {
    const { spec } = build(mode('dind'), { dindImage: 'mirror/docker:28' }, false);

    expect(spec.containers?.map(({ name, image }) => [name, image])).toEqual([
      ['runner', 'ghcr.io/actions/actions-runner:latest'],
      ['dind', 'mirror/docker:28'],
    ]);
    expect(JSON.stringify(spec)).not.toContain('Always');
  });

  test('keeps the work volume and the variables that a template brings', () => {
    const template = {
      spec: {
        volumes: [{ name: 'work', emptyDir: { sizeLimit: '20Gi' } }],
        containers: [{ name: 'runner', env: [{ name: 'DOCKER_HOST', value: 'tcp://x' }] }],
      },
    };

    const { spec } = build({ ...mode('dind'), template });

    expect(spec.volumes?.[0]).toEqual({ name: 'work', emptyDir: { sizeLimit: '20Gi' } });
    expect(spec.containers?.[0]?.env?.[0]).toEqual({ name: 'DOCKER_HOST', value: 'tcp://x' });
  });
});

describe('container mode kubernetes', () => {
  test('hands jobs to the hooks, with a claim for the work volume', () => {
    const claim = { accessModes: ['ReadWriteOnce'], storageClassName: 'fast' };

    const { spec } = build(mode('kubernetes', { kubernetesModeWorkVolumeClaim: claim }));

    expect(spec).toMatchObject({
      containers: [
        {
          env: [
            { name: 'ACTIONS_RUNNER_CONTAINER_HOOKS', value: '/home/runner/k8s/index.js' },
            {
              name: 'ACTIONS_RUNNER_POD_NAME',
              valueFrom: { fieldRef: { fieldPath: 'metadata.name' } },
            },
            { name: 'ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER', value: 'true' },
            { name: 'ACTIONS_RUNNER_INPUT_JITCONFIG' },
          ],
          volumeMounts: [{ name: 'work', mountPath: '/home/runner/_work' }],
        },
      ],
      volumes: [{ name: 'work', ephemeral: { volumeClaimTemplate: { spec: claim } } }],
    });
  });

  test('without a volume tells the hooks which image the runner has', () => {
    const { spec } = build(mode('kubernetes-novolume'));

    expect(spec.containers?.[0]?.env).toMatchObject([
      { value: '/home/runner/k8s-novolume/index.js' },
      { name: 'ACTIONS_RUNNER_IMAGE', value: 'ghcr.io/actions/actions-runner:latest' },
      { name: 'ACTIONS_RUNNER_POD_NAME' },
      { name: 'ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER' },
      { name: 'ACTIONS_RUNNER_INPUT_JITCONFIG' },
    ]);
    expect(spec).not.toHaveProperty('volumes');
  });
});
