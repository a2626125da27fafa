import { describe, expect, test } from 'vitest';
import { parseJson } from './json.ts';
import { readQueueMessage } from './queue-message.ts';

const hugeId = '9223372036854775807';

function envelope(body: string, messageId = '100000001'): string {
  return `{"messageId":${messageId},"messageType":"RunnerScaleSetJobMessages","body":${JSON.stringify(body)},"statistics":{"totalAssignedJobs":3}}`;
}

function read(text: string) {
  return readQueueMessage(parseJson(text), text);
}

describe('readQueueMessage', () => {
  test('ids above 2^53 keep every digit', () => {
    const body = `[{"messageType":"JobAvailable","runnerRequestId":${hugeId},"workflowRunId":${hugeId},"acquireJobUrl":"u"}]`;

    expect(read(envelope(body, hugeId))).toMatchObject({
      messageId: hugeId,
      jobs: [{ kind: 'JobAvailable', runnerRequestId: hugeId, workflowRunId: hugeId }],
    });
  });

  test('reads the fields of each type', () => {
    const jobs = [
      { messageType: 'JobAssigned', runnerRequestId: 0, jobId: 'j1', requestLabels: ['linux'] },
      { messageType: 'JobStarted', jobId: 'j1', runnerId: 4, runnerName: 'r' },
      { messageType: 'JobCompleted', jobId: 'j1', result: 'canceled', runnerName: null },
    ];

    expect(read(envelope(JSON.stringify(jobs)))).toMatchObject({
      jobs: [
        { kind: 'JobAssigned', runnerRequestId: '0', jobId: 'j1', requestLabels: ['linux'] },
        { kind: 'JobStarted', runnerId: 4, runnerName: 'r' },
        { kind: 'JobCompleted', result: 'canceled', runnerId: 0, runnerName: '' },
      ],
    });
  });

  test('the zero time is no time', () => {
    const job = {
      messageType: 'JobAssigned',
      queueTime: '2026-01-01T00:00:00Z',
      finishTime: '0001-01-01T00:00:00Z',
    };

    const message = read(envelope(JSON.stringify([job])));

    expect(message).toMatchObject({ jobs: [{ queueTime: '2026-01-01T00:00:00Z' }] });
    expect(message).toMatchObject({ jobs: [{ finishTime: undefined }] });
  });

  test('a message without a body only brings statistics', () => {
    expect(read(envelope(''))).toMatchObject({
      kind: 'jobs',
      jobs: [],
      statistics: { totalAssignedJobs: 3, totalBusyRunners: 0 },
    });
  });

  test('unknown types and shapes are passed on whole, next to the known ones', () => {
    const body = `[{"messageType":"JobPaused","id":${hugeId}},{"messageType":"JobStarted","runnerId":"x"},7,{"messageType":"JobAssigned","jobId":"j","newField":1}]`;

    expect(read(envelope(body))).toMatchObject({
      jobs: [
        {
          kind: 'unknown',
          messageType: 'JobPaused',
          raw: `{"messageType":"JobPaused","id":${hugeId}}`,
        },
        { kind: 'unknown', messageType: 'JobStarted' },
        { kind: 'unknown', messageType: undefined, raw: '7' },
        { kind: 'JobAssigned', raw: '{"messageType":"JobAssigned","jobId":"j","newField":1}' },
      ],
    });
  });

  test.each([
    ['a body that is no JSON', envelope('[{"messageType"'), '100000001'],
    ['a body that is no array', envelope('{}'), '100000001'],
    ['another envelope type', '{"messageId":5,"messageType":"New","body":""}', '5'],
    ['no message id', '{"messageType":"RunnerScaleSetJobMessages","body":"[]"}', undefined],
    ['no object', '[1]', undefined],
  ])('%s is unreadable, and kept whole', (_case, text, messageId) => {
    expect(read(text)).toMatchObject({ kind: 'unreadable', messageId, raw: text });
  });

  test('an unreadable message still brings its statistics', () => {
    expect(read(envelope('{}'))).toMatchObject({ statistics: { totalAssignedJobs: 3 } });
  });
});
