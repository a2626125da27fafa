import { aRunner, at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { endMark } from './end-mark.ts';

const exit = { code: 0, at };
const failure = { class: 'timeout', text: '' };
const completedIn = { epoch: 1, seq: 1 };

describe('endMark', () => {
  test.each([
    { what: 'exited well', part: { state: 'completed', exit, completedIn }, gate: 'none' },
    { what: 'is over by a message', part: { state: 'completed', completedIn }, gate: 'github' },
    { what: 'exited badly', part: { state: 'failed', exit, instanceId: 'i' }, gate: 'none' },
    { what: 'was never made', part: { state: 'failed' }, gate: 'none' },
    { what: 'cannot come up', part: { state: 'failed', instanceId: 'i' }, gate: 'github' },
    { what: 'may have been made', part: { state: 'failed', failure }, gate: 'github' },
    { what: 'is lost', part: { state: 'lost' }, gate: 'github' },
  ] as const)('says of what $what: gate $gate', ({ part, gate }) => {
    expect(endMark(aRunner(part), (kind) => kind === 'timeout').gate).toBe(gate);
  });

  test.each([
    { part: { state: 'completed' }, reason: 'completed' },
    { part: { state: 'failed', exit }, reason: 'exited' },
    { part: { state: 'failed' }, reason: 'create-failed' },
    { part: { state: 'lost' }, reason: 'lost' },
  ] as const)('gives the reason $reason', ({ part, reason }) => {
    expect(endMark(aRunner(part), () => false).reason).toBe(reason);
  });
});
