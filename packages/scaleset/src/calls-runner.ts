import type { AdminCall } from './admin-api.ts';
import { scaleSetPath } from './calls-scale-set.ts';
import { readDone, reads, readsList } from './read-answer.ts';
import { type JitConfig, jitConfigSchema, type Runner, runnerSchema } from './schemas.ts';

/** `busy`: it runs a job and stays. */
export type RemoveRunnerResult = { kind: 'removed' } | { kind: 'busy' } | { kind: 'gone' };

const runners = '_apis/distributedtask/pools/0/agents';

export function generateJitConfigCall(
  scaleSetId: number,
  { name, workFolder }: { name: string; workFolder: string },
): AdminCall<JitConfig> {
  return {
    what: 'generate JIT config',
    priority: 'jit',
    method: 'POST',
    path: scaleSetPath(scaleSetId, 'generatejitconfig'),
    scaleSetId,
    body: JSON.stringify({ name, workFolder }),
    meaning: { conflict: 'runner-exists' },
    read: reads(jitConfigSchema),
  };
}

export function getRunnerCall(runnerId: number): AdminCall<Runner | undefined> {
  return {
    what: 'get runner',
    priority: 'other',
    method: 'GET',
    path: `${runners}/${runnerId}`,
    read: reads(runnerSchema),
    expected: new Map([['runner-not-found', { answer: undefined }]]),
  };
}

export function listRunnersCall(name?: string): AdminCall<Runner[]> {
  return {
    what: 'list runners',
    priority: name === undefined ? 'cleanup' : 'other',
    method: 'GET',
    path: runners,
    query: name === undefined ? {} : { agentName: name },
    read: readsList(runnerSchema),
  };
}

export function removeRunnerCall(runnerId: number): AdminCall<RemoveRunnerResult> {
  return {
    what: 'remove runner',
    priority: 'cleanup',
    method: 'DELETE',
    path: `${runners}/${runnerId}`,
    read: readDone({ kind: 'removed' }),
    expected: new Map<'job-still-running' | 'runner-not-found', { answer: RemoveRunnerResult }>([
      ['job-still-running', { answer: { kind: 'busy' } }],
      ['runner-not-found', { answer: { kind: 'gone' } }],
    ]),
  };
}
