import { describe, expect, test } from 'vitest';
import { readSettings } from './read-settings.ts';
import { aDefinition } from './testing/definitions.ts';

const container = (more: object) => ({
  template: { spec: { containers: [{ name: 'runner', ...more }] } },
});
const pod = (spec: object) => ({ template: { spec } });

/** What is refused, where the error says it is, and the definition that allows it. */
const refused: Array<[string, unknown, string, object?]> = [
  ['a typing error', { tempalte: {} }, 'settings: Unrecognized key: "tempalte"'],
  ['an unknown field', pod({ nodeSelektor: {} }), 'settings.template.spec: Unrecognized key'],
  [
    'a privileged container',
    container({ securityContext: { privileged: true } }),
    'settings.template.spec.containers[0].securityContext: Unrecognized key: "privileged"',
    { privileged: true },
  ],
  [
    'capabilities',
    container({ securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }),
    'settings.template.spec.containers[0].securityContext.capabilities',
    { privileged: true },
  ],
  [
    'more privileges than its parent',
    container({ securityContext: { allowPrivilegeEscalation: true } }),
    'securityContext.allowPrivilegeEscalation',
    { privileged: true },
  ],
  [
    'a path of the host',
    pod({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }),
    'settings.template.spec.volumes[0]: Unrecognized key: "hostPath"',
    { volumes: ['hostPath'] },
  ],
  [
    "the host's network",
    pod({ hostNetwork: true }),
    'settings.template.spec: Unrecognized key: "hostNetwork"',
    { podFields: ['hostNetwork'] },
  ],
  ['a node of its choice', pod({ nodeName: 'n' }), '"nodeName"', { podFields: ['nodeName'] }],
  [
    'a priority',
    pod({ priorityClassName: 'high' }),
    '"priorityClassName"',
    { podFields: ['priorityClassName'] },
  ],
  ["the host's port", container({ ports: [{ hostPort: 80 }] }), 'ports[0]'],
  [
    'a probe of another host',
    container({ livenessProbe: { httpGet: { host: '169.254.169.254', port: 80 } } }),
    'livenessProbe: may not name a host',
  ],
  [
    'another service account',
    pod({ serviceAccountName: 'admin' }),
    "settings.template.spec.serviceAccountName: is not among the provider's allow.serviceAccounts",
    { serviceAccounts: ['admin'] },
  ],
  [
    'a container mode',
    { containerMode: { type: 'dind' } },
    "settings.containerMode.type: dind is not among the provider's allow.containerModes",
    { containerModes: ['dind'] },
  ],
  ['a container mode that is none', { containerMode: { type: 'dint' } }, 'containerMode.type'],
  ['a pod that starts again', pod({ restartPolicy: 'Always' }), 'restartPolicy: must be Never'],
  [
    'our own labels',
    { template: { metadata: { labels: { 'baton/runner': 'x' } } } },
    'settings.template.metadata.labels',
  ],
  [
    'an annotation that switches AppArmor off',
    {
      template: {
        metadata: {
          annotations: { 'container.apparmor.security.beta.kubernetes.io/runner': 'unconfined' },
        },
      },
    },
    "kubernetes.io/runner: is the provider's to set",
    { privileged: true },
  ],
  [
    'owners and finalizers',
    { template: { metadata: { finalizers: ['x/y'] } } },
    'settings.template.metadata: Unrecognized key: "finalizers"',
  ],
];

describe('readSettings refuses', () => {
  test.each(refused)('%s, and says where', (_what, settings, text) => {
    const read = () => readSettings(settings, aDefinition());

    expect(read).toThrow(expect.objectContaining({ class: 'invalid-settings' }));
    expect(read).toThrow(text);
  });

  test('everything that is wrong at once', () => {
    const settings = {
      containerMode: { type: 'dind' },
      ...pod({ hostPID: true, serviceAccountName: 'x' }),
    };

    const read = () => readSettings(settings, aDefinition());

    expect(read).toThrow(/hostPID.*; |; .*hostPID/);
    expect(read).toThrow('allow.serviceAccounts');
    expect(read).toThrow('allow.containerModes');
  });

  test("another image for a container of the provider's template", () => {
    const podTemplate = {
      spec: { containers: [{ name: 'runner' }, { name: 'daemon', image: 'x' }] },
    };
    const settings = pod({ containers: [{ name: 'daemon', image: 'mine' }] });

    const read = () => readSettings(settings, aDefinition({ podTemplate }));

    expect(read).toThrow("spec.containers[0].name: is the provider's own container");
  });

  test("other content for a volume of the provider's containers", () => {
    const podTemplate = {
      spec: {
        initContainers: [
          { name: 'setup', image: 'x', volumeMounts: [{ name: 'scripts', mountPath: '/scripts' }] },
        ],
        volumes: [
          { name: 'scripts', configMap: { name: 'ours' } },
          { name: 'cache', emptyDir: {} },
        ],
      },
    };
    const volumes = ['cache', 'scripts'].map((name) => ({ name, configMap: { name: 'mine' } }));
    const read = (changes: object) => () =>
      readSettings(pod({ volumes }), aDefinition({ podTemplate, ...changes }));

    expect(read({})).toThrow(
      /^settings\.template\.spec\.volumes\[1\]\.name: is mounted by a container of the provider's own$/,
    );
    expect(read({ allow: { privileged: true } })).not.toThrow();
  });

  test("weakening what the provider's template sets", () => {
    const podTemplate = { spec: { securityContext: { runAsNonRoot: true } } };
    const settings = container({ securityContext: { runAsNonRoot: false } });

    expect(() => readSettings(settings, aDefinition({ podTemplate }))).toThrow(
      'containers[0].securityContext: Unrecognized key: "runAsNonRoot"',
    );
    expect(() => readSettings(settings, aDefinition())).not.toThrow();
  });
});

describe('readSettings takes', () => {
  test.each(refused.filter(([, , , allow]) => allow))(
    '%s where the definition allows it',
    (_what, settings, _text, allow) => {
      expect(() => readSettings(settings, aDefinition({ allow }))).not.toThrow();
    },
  );

  test.each([[undefined], [null], [{}]])('%j', (settings) => {
    expect(readSettings(settings, aDefinition())).toEqual({
      template: {},
      containerMode: { type: 'none' },
    });
  });

  test("the definition's own service account", () => {
    const definition = aDefinition({ serviceAccountName: 'ci' });

    expect(() => readSettings(pod({ serviceAccountName: 'ci' }), definition)).not.toThrow();
  });

  test('what ordinary runners need', () => {
    const settings = {
      template: {
        metadata: { labels: { team: 'a' }, annotations: { note: 'b' } },
        spec: {
          nodeSelector: { pool: 'ci' },
          tolerations: [{ key: 'ci', operator: 'Exists' }],
          imagePullSecrets: [{ name: 'registry' }],
          terminationGracePeriodSeconds: 60,
          securityContext: { fsGroup: 123, seccompProfile: { type: 'RuntimeDefault' } },
          volumes: [{ name: 'cache', persistentVolumeClaim: { claimName: 'cache' } }],
          initContainers: [{ name: 'warm', image: 'x', restartPolicy: 'Always' }],
          containers: [
            {
              name: 'runner',
              image: 'mine',
              resources: { limits: { cpu: 2 } },
              envFrom: [{ secretRef: { name: 'tools' } }],
              volumeMounts: [{ name: 'cache', mountPath: '/cache', readOnly: true }],
              securityContext: { runAsUser: 1001, capabilities: { drop: ['ALL'] } },
            },
          ],
        },
      },
    };

    expect(readSettings(settings, aDefinition())).toMatchObject(settings);
  });
});
