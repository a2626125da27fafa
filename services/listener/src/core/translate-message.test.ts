import { listenerEventSchema } from '@baton/shared/contracts';
import { describe, expect, test } from 'vitest';
import { aCompletion, anAssignment, anOffer, aStart } from '../testing/jobs.ts';
import { bodyHash, offeredRequestIds, translateJobs } from './translate-message.ts';

const at = '2026-01-01T00:00:10.000Z';
const context = { scaleSetId: 'linux-1', position: { epoch: 3, seq: 4 }, at };
/** Two ids that are the same number to JavaScript. */
const [big, bigger] = ['9007199254740992', '9007199254740993'];

describe('translateJobs', () => {
  test('gives one fact for each job, in order', () => {
    const events = translateJobs([anAssignment(), aStart(), aCompletion()], context);

    expect(events.map(({ type }) => type)).toEqual([
      'job.assigned',
      'job.started',
      'job.completed',
    ]);
    expect(events.map((event) => listenerEventSchema.parse(event))).toEqual(events);
  });

  test('says which job it is, where it comes from, and since when it is queued', () => {
    const [event] = translateJobs([anAssignment()], context);

    expect(event).toEqual({
      v: 1,
      type: 'job.assigned',
      scaleSetId: 'linux-1',
      at,
      position: { epoch: 3, seq: 4 },
      jobId: 'job-1',
      runnerRequestId: '0',
      workflowRunId: '1001',
      repository: 'acme/app',
      jobDisplayName: 'build',
      queuedAt: '2026-01-01T00:00:00.000Z',
    });
  });

  test('names the runner that took the job', () => {
    const [started] = translateJobs([aStart()], context);

    expect(started).toMatchObject({ runnerName: 'linux-test-r1', githubRunnerId: 7 });
  });

  test('does not make up a runner id that GitHub did not say', () => {
    const [started] = translateJobs([aStart({ runnerId: 0 })], context);

    expect(started).not.toHaveProperty('githubRunnerId');
  });

  test('names no runner for a job that was canceled before one took it', () => {
    const canceled = aCompletion({ result: 'canceled', runnerName: '', runnerId: 0 });

    const [event] = translateJobs([canceled], context);

    expect(event).toMatchObject({ type: 'job.completed', result: 'canceled' });
    expect(event).not.toHaveProperty('runnerName');
  });

  test('says when a job began and ended, as far as GitHub does', () => {
    const times = { runnerAssignTime: '2026-01-01T00:00:05.1234567Z', finishTime: 'never' };

    const events = translateJobs([aStart(times), aCompletion(times)], context);

    for (const event of events) {
      expect(event).toMatchObject({ at, startedAt: '2026-01-01T00:00:05.123Z' });
      expect(event).not.toHaveProperty('finishedAt');
    }
  });

  test('keeps ids above 2^53 digit by digit', () => {
    const events = translateJobs(
      [big, bigger].map((id) => aStart({ runnerRequestId: id, workflowRunId: id, jobId: '' })),
      context,
    );

    expect(events.map(({ jobId }) => jobId)).toEqual([`request-${big}`, `request-${bigger}`]);
    expect(events.map(({ workflowRunId }) => workflowRunId)).toEqual([big, bigger]);
  });

  test('leaves out offers, what it does not know, and a time that is none', () => {
    const unknown = { kind: 'unknown', messageType: 'X', problem: 'new', raw: '{}' } as const;

    const events = translateJobs(
      [anOffer(), unknown, anAssignment({ queueTime: 'soon' })],
      context,
    );

    expect(events).toHaveLength(1);
    expect(events[0]).not.toHaveProperty('queuedAt');
  });
});

describe('bodyHash', () => {
  test('is the same for the same jobs', () => {
    expect(bodyHash([anAssignment(), aStart()])).toBe(bodyHash([anAssignment(), aStart()]));
  });

  test.each([
    ['another job', [anAssignment({ jobId: 'job-2' })]],
    ['another id above 2^53', [anAssignment({ workflowRunId: bigger })]],
    ['another kind', [aStart()]],
    ['one job more', [anAssignment({ workflowRunId: big }), aStart()]],
    ['no job', []],
  ])('tells %s apart', (_what, jobs) => {
    expect(bodyHash(jobs)).not.toBe(bodyHash([anAssignment({ workflowRunId: big })]));
  });

  test('sees where one job ends and the next begins', () => {
    const one = bodyHash([anAssignment(), aStart()]);

    expect(bodyHash([aStart(), anAssignment()])).not.toBe(one);
  });
});

test('offeredRequestIds finds the jobs that must be acquired, digit by digit', () => {
  const jobs = [anOffer({ runnerRequestId: bigger }), anAssignment({ runnerRequestId: '5' })];

  expect(offeredRequestIds(jobs)).toEqual([bigger]);
});
