import { describe, expect, test } from 'vitest';
import type { ContainerStatus, Pod, PodStatus } from './api-schemas.ts';
import { readInstance } from './read-instance.ts';

const nowMs = Date.parse('2026-11-26T10:05:00Z');
const runner = (state: ContainerStatus['state']): PodStatus => ({
  phase: 'Pending',
  containerStatuses: [{ name: 'runner', state }],
});
const init = (name: string, state: ContainerStatus['state']): PodStatus => ({
  phase: 'Pending',
  initContainerStatuses: [{ name, state }],
});
const condition = (type: string, status: string, reason: string): PodStatus => ({
  conditions: [{ type, status, reason, message: 'said so' }],
});

function aPod(status: PodStatus | undefined, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    metadata: {
      name: 'linux-a1',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-11-26T10:00:00Z',
      annotations: {
        'baton/runner': 'a1',
        'baton/runner-name': 'linux-a1',
        'baton/scale-set': 'linux-1',
        'baton/generation': 'g1',
      },
      ...metadata,
    },
    status,
  };
}

const finishedAt = '2026-11-26T10:04:00Z';
const terminated = (exitCode: number, reason = 'Error') =>
  runner({ terminated: { exitCode, reason, finishedAt } });
const exitedAt = '2026-11-26T10:04:00.000Z';
const running = { running: { startedAt: finishedAt } };
const missingSecret = {
  waiting: { reason: 'CreateContainerConfigError', message: 'secret "linux-a1-jit" not found' },
};

const cases: Array<[string, PodStatus | undefined, object, string?]> = [
  ['nothing is known yet', undefined, { state: 'starting' }],
  [
    'it is being created',
    runner({ waiting: { reason: 'ContainerCreating' } }),
    { state: 'starting' },
  ],
  ['its container runs', { ...runner(running), phase: 'Running' }, { state: 'running' }],
  ['it ended well', terminated(0, 'Completed'), { state: 'exited', exitCode: 0, exitedAt }],
  ['it ended badly', terminated(7), { state: 'exited', exitCode: 7, exitedAt }],
  [
    'it ended and a sidecar runs on',
    {
      phase: 'Running',
      containerStatuses: [
        { name: 'dind', state: running },
        { name: 'runner', state: { terminated: { exitCode: 3, finishedAt } } },
      ],
    },
    { state: 'exited', exitCode: 3, exitedAt },
  ],
  ['its memory ran out', terminated(137, 'OOMKilled'), { exitCode: 137 }, 'transient OOMKilled'],
  [
    'its program is not there',
    terminated(128, 'ContainerCannotRun'),
    { state: 'exited' },
    'invalid-settings ContainerCannotRun',
  ],
  [
    'its node evicts it',
    { phase: 'Failed', reason: 'Evicted', message: 'low on memory' },
    { state: 'exited' },
    'transient Evicted: low on memory',
  ],
  [
    'its node preempts it',
    { ...terminated(137), phase: 'Failed', reason: 'Preempting', message: 'for another' },
    { state: 'exited', exitCode: 137 },
    'quota Preempting: for another',
  ],
  [
    'its time is over',
    { phase: 'Failed', reason: 'DeadlineExceeded', message: 'too long' },
    { state: 'exited' },
    'invalid-settings DeadlineExceeded: too long',
  ],
  [
    'its node has no room after all',
    { phase: 'Failed', reason: 'OutOfcpu' },
    { state: 'exited' },
    'quota OutOfcpu',
  ],
  [
    'its node is lost',
    { phase: 'Failed', reason: 'NodeLost' },
    { state: 'exited' },
    'transient NodeLost',
  ],
  [
    'it failed before it ran',
    { ...init('warm', { terminated: { exitCode: 2 } }), phase: 'Failed' },
    { state: 'exited' },
    'transient init container warm ended with 2',
  ],
  [
    'it failed without a word',
    { phase: 'Failed' },
    { state: 'exited' },
    'transient the pod failed',
  ],
  [
    'no node has room',
    condition('PodScheduled', 'False', 'Unschedulable'),
    { state: 'starting' },
    'quota Unschedulable: said so',
  ],
  ['it is on a node', condition('PodScheduled', 'True', ''), { state: 'starting' }],
  [
    'it is evicted through the API',
    { ...runner(running), ...condition('DisruptionTarget', 'True', 'EvictionByEvictionAPI') },
    { state: 'running' },
    'transient EvictionByEvictionAPI: said so',
  ],
  [
    'the scheduler wants its place',
    { ...runner(running), ...condition('DisruptionTarget', 'True', 'PreemptionByScheduler') },
    { state: 'running' },
    'quota PreemptionByScheduler: said so',
  ],
  [
    'an image of an init container cannot be pulled',
    init('warm', { waiting: { reason: 'ErrImagePull', message: 'no such host' } }),
    { state: 'starting' },
    'image ErrImagePull: no such host',
  ],
  [
    'its Secret is missing for long',
    runner(missingSecret),
    { state: 'starting' },
    'not-found CreateContainerConfigError: secret "linux-a1-jit" not found',
  ],
];

describe('readInstance', () => {
  test.each(cases)('when %s', (_what, status, expected, problem) => {
    const instance = readInstance(aPod(status), nowMs);

    expect(instance).toMatchObject(expected);
    const { class: problemClass, text } = instance?.problem ?? {};
    expect(instance?.problem && `${problemClass} ${text}`).toBe(problem);
  });

  test('tells the tags from the annotations', () => {
    expect(readInstance(aPod(undefined), nowMs)).toEqual({
      instanceId: 'linux-a1',
      runnerId: 'a1',
      runnerName: 'linux-a1',
      scaleSetId: 'linux-1',
      generation: 'g1',
      createdAt: '2026-11-26T10:00:00.000Z',
      state: 'starting',
    });
  });

  test('a Secret that is missing for a moment may still come', () => {
    const metadata = { creationTimestamp: '2026-11-26T10:04:50Z' };

    const instance = readInstance(aPod(runner(missingSecret), metadata), nowMs);

    expect(instance?.problem).toMatchObject({ class: 'transient' });
  });

  test('a pod that somebody deletes says so', () => {
    const metadata = { deletionTimestamp: '2026-11-26T10:04:59Z' };

    const instance = readInstance(aPod({ ...runner(running), phase: 'Running' }, metadata), nowMs);

    expect(instance).toMatchObject({
      state: 'running',
      problem: { class: 'transient', text: 'the pod is being deleted, by 2026-11-26T10:04:59Z' },
    });
  });

  test('a pod that somebody deleted and whose container is lost says so too', () => {
    const metadata = { deletionTimestamp: '2026-11-26T10:04:59Z' };
    const lost = runner({ waiting: { reason: 'ContainerCreating' } });

    const instance = readInstance(aPod({ ...lost, phase: 'Failed' }, metadata), nowMs);

    expect(instance).toMatchObject({
      state: 'exited',
      problem: { text: 'the pod is being deleted, by 2026-11-26T10:04:59Z' },
    });
  });

  test('a pod without our tags is none of ours', () => {
    expect(readInstance(aPod(undefined, { annotations: {} }), nowMs)).toBeUndefined();
  });
});
