import type { AdminCall } from './admin-api.ts';
import { readDone, reads } from './read-answer.ts';
import {
  listOf,
  type RunnerGroup,
  type RunnerSetting,
  runnerGroupSchema,
  type ScaleSet,
  scaleSetSchema,
} from './schemas.ts';

/** What a scale set is created with, and what may be changed of it. */
export interface ScaleSetSpec {
  name: string;
  runnerGroupId: number;
  /** Jobs whose `runs-on` asks for these are assigned to the scale set. */
  labels: readonly string[];
  runnerSetting?: RunnerSetting;
}

const scaleSets = '_apis/runtime/runnerscalesets';

/** The path of a scale set, or of something under it. */
export function scaleSetPath(scaleSetId: number, ...rest: readonly string[]): string {
  return [scaleSets, scaleSetId, ...rest.map(encodeURIComponent)].join('/');
}

export function findScaleSetCall(runnerGroupId: number, name: string): AdminCall<ScaleSet[]> {
  return {
    what: 'find scale set',
    priority: 'session',
    method: 'GET',
    path: scaleSets,
    query: { runnerGroupId: String(runnerGroupId), name },
    read: reads(listOf(scaleSetSchema)),
  };
}

export function getScaleSetCall(scaleSetId: number): AdminCall<ScaleSet> {
  return {
    what: 'get scale set',
    priority: 'session',
    method: 'GET',
    path: scaleSetPath(scaleSetId),
    scaleSetId,
    read: reads(scaleSetSchema),
  };
}

export function createScaleSetCall(spec: ScaleSetSpec): AdminCall<ScaleSet> {
  return {
    what: 'create scale set',
    priority: 'session',
    method: 'POST',
    path: scaleSets,
    body: scaleSetBody(spec),
    meaning: { conflict: 'scale-set-exists' },
    read: reads(scaleSetSchema),
  };
}

export function updateScaleSetCall(
  scaleSetId: number,
  changes: Partial<ScaleSetSpec>,
): AdminCall<ScaleSet> {
  return {
    what: 'update scale set',
    priority: 'session',
    method: 'PATCH',
    path: scaleSetPath(scaleSetId),
    scaleSetId,
    body: scaleSetBody(changes),
    read: reads(scaleSetSchema),
  };
}

export function deleteScaleSetCall(scaleSetId: number): AdminCall<void> {
  return {
    what: 'delete scale set',
    priority: 'cleanup',
    method: 'DELETE',
    path: scaleSetPath(scaleSetId),
    scaleSetId,
    read: readDone(undefined),
    expected: new Map([['scale-set-not-found', { answer: undefined }]]),
  };
}

export function findRunnerGroupCall(name: string): AdminCall<RunnerGroup[]> {
  return {
    what: 'find runner group',
    priority: 'session',
    method: 'GET',
    path: '_apis/runtime/runnergroups/',
    query: { groupName: name },
    read: reads(listOf(runnerGroupSchema)),
  };
}

function scaleSetBody({ labels, runnerSetting, ...fields }: Partial<ScaleSetSpec>): string {
  return JSON.stringify({
    ...fields,
    labels: labels?.map((name) => ({ type: 'System', name })),
    RunnerSetting: runnerSetting,
  });
}
