import { aRunner, recordSpans } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { mintSpan } from '../telemetry/index.ts';
import { recordPhase, recordRunnerSpan } from './runner-trace.ts';
import { mark } from './testing/lives.ts';

const times = { createdAt: '2026-01-01T00:00:00.000Z', instanceAt: '2026-01-01T00:00:02.000Z' };
const goneAt = Date.parse('2026-01-01T00:01:00.000Z');

describe('recordRunnerSpan', () => {
  test('is told under the id that was minted for it, below the poll that asked for it', () => {
    using spans = recordSpans();
    const poll = mintSpan();
    const runner = aRunner({ ...times, tracedFrom: poll, traceparent: mintSpan(poll) });

    recordRunnerSpan(runner, goneAt);

    const told = spans.the('runner');
    expect(told).toMatchObject({ traceparent: runner.traceparent, parent: poll, links: [] });
    expect(told).toMatchObject({ startedAt: Date.parse(times.createdAt), endedAt: goneAt });
    expect(told.attributes).toMatchObject({
      'baton.runner.id': 'r1',
      'cicd.worker.name': runner.name,
    });
    expect(spans.childrenOf(told).map(({ name }) => name)).toEqual(['boot']);
  });

  test('has a link to the poll where its trace is another', () => {
    using spans = recordSpans();
    const [poll, traceparent] = [mintSpan(), mintSpan()];

    recordRunnerSpan(aRunner({ ...times, tracedFrom: poll, traceparent }), goneAt);

    expect(spans.the('runner')).toMatchObject({ traceparent, parent: undefined, links: [poll] });
  });

  test('has an id of its own where its planner made no spans', () => {
    using spans = recordSpans();
    const poll = mintSpan();

    recordRunnerSpan(aRunner({ ...times, tracedFrom: poll, traceparent: poll }), goneAt);

    expect(spans.the('runner')).toMatchObject({ parent: poll, links: [] });
    expect(spans.the('runner').traceparent).not.toBe(poll);
    expect(spans.the('boot').parent).toBe(poll);
  });

  test('is not told where nobody traced the runner', () => {
    using spans = recordSpans();

    recordRunnerSpan(aRunner(times), goneAt);
    recordPhase(aRunner(times), { name: 'boot', startedAt: 1, endedAt: 2 });

    expect(spans.told).toEqual([]);
  });

  test('is an error, like the phase that it ended in, when the runner failed', () => {
    using spans = recordSpans();
    const failure = { class: 'image', text: 'no such image' };
    const failed = { failure, mark: { ...mark, reason: 'create-failed' as const } };

    recordRunnerSpan(aRunner({ ...times, traceparent: mintSpan(), ...failed }), goneAt);

    for (const name of ['runner', 'boot']) {
      expect(spans.the(name).error).toMatchObject({ message: 'no such image' });
      expect(spans.the(name).attributes).toMatchObject({ 'baton.failure.class': 'image' });
    }
  });
});
