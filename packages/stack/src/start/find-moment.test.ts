import type { SimState } from '@baton/github-sim';
import { expect, test } from 'vitest';
import { findMoment, type Moment } from './find-moment.ts';

const aim = { jobCount: 40, fromShare: 0.3 };

function aState({ completed = 20, running = 3, connected = [true, false] } = {}) {
  const counts = { queued: 0, available: 0, assigned: 0, failed: 0, canceled: 0, total: 40 };
  const jobs: SimState['jobs'] = { ...counts, completed, running };
  const runners = connected.map((isConnected, id): SimState['runners'][number] => ({
    id,
    name: `runner-${id}`,
    scaleSet: 'set-1',
    status: isConnected ? 'busy' : 'offline',
    connected: isConnected,
    jobId: null,
  }));
  return { jobs, runners };
}

test.each<[string, Parameters<typeof aState>[0], Moment]>([
  ['one is busy and one is being created', {}, 'now'],
  ['too few jobs are done', { completed: 11 }, 'early'],
  ['just enough jobs are done', { completed: 12 }, 'now'],
  ['the last chance', { completed: 30 }, 'now'],
  ['too many jobs are done', { completed: 31 }, 'late'],
  ['too many jobs are done, and none is busy', { completed: 40, running: 0 }, 'late'],
  ['none is busy', { running: 0 }, 'early'],
  ['none is registered that is not online', { connected: [true] }, 'look'],
])('%s', (_case, state, moment) => {
  expect(findMoment(aState(state), aim)).toBe(moment);
});
