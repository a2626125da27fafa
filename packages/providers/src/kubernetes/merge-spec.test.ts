import { describe, expect, test } from 'vitest';
import { mergeSpec } from './merge-spec.ts';

const below = {
  nodeSelector: { disk: 'ssd', zone: 'a' },
  tolerations: [{ key: 'ci' }],
  volumes: [{ name: 'work', emptyDir: {} }],
  containers: [
    {
      name: 'runner',
      image: 'old',
      args: ['a', 'b'],
      resources: { limits: { cpu: '1' } },
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
      volumeMounts: [{ name: 'work', mountPath: '/work' }],
    },
  ],
};

describe('mergeSpec', () => {
  test('merges objects', () => {
    expect(mergeSpec(below, { nodeSelector: { zone: 'b' } })).toMatchObject({
      nodeSelector: { disk: 'ssd', zone: 'b' },
    });
  });

  test('merges containers by name, and adds others behind', () => {
    const above = {
      containers: [{ name: 'extra' }, { name: 'runner', resources: { limits: { memory: '2Gi' } } }],
    };

    expect(mergeSpec(below, above).containers).toMatchObject([
      { name: 'runner', image: 'old', resources: { limits: { cpu: '1', memory: '2Gi' } } },
      { name: 'extra' },
    ]);
  });

  test('replaces variables and volumes of the same name whole, and mounts of the same path', () => {
    const valueFrom = { fieldRef: { fieldPath: 'metadata.name' } };
    const above = {
      volumes: [{ name: 'work', ephemeral: {} }],
      containers: [
        {
          name: 'runner',
          env: [
            { name: 'B', valueFrom },
            { name: 'C', value: '3' },
          ],
          volumeMounts: [{ name: 'other', mountPath: '/work' }],
        },
      ],
    };

    expect(mergeSpec(below, above)).toMatchObject({
      volumes: [{ name: 'work', ephemeral: {} }],
      containers: [
        {
          env: [{ name: 'A', value: '1' }, { name: 'B', valueFrom }, { name: 'C' }],
          volumeMounts: [{ name: 'other', mountPath: '/work' }],
        },
      ],
    });
    expect(mergeSpec(below, above).volumes?.[0]).not.toHaveProperty('emptyDir');
  });

  test('replaces all other lists', () => {
    const merged = mergeSpec(below, {
      tolerations: [{ key: 'gpu' }],
      containers: [{ name: 'runner', args: ['c'] }],
    });

    expect(merged).toMatchObject({ tolerations: [{ key: 'gpu' }], containers: [{ args: ['c'] }] });
    expect(merged.containers?.[0]?.args).toEqual(['c']);
  });

  test('changes neither of the two', () => {
    const before = structuredClone(below);

    mergeSpec(below, { containers: [{ name: 'runner', env: [{ name: 'A', value: 'x' }] }] });

    expect(below).toEqual(before);
  });
});
