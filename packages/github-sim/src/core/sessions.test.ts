import { describe, expect, test } from 'vitest';
import { aSession, aSimulator, job, kindsIn } from '../testing/core-builders.ts';

describe('sessions', () => {
  test('a silent holder loses its session after the expiry and not before', async () => {
    const given = aSimulator();
    const { session } = aSession(given);

    await given.clock.advance(74_999);
    expect(() => given.sim.sessions.open(given.set, 'owner-2')).toThrow('409');
    await given.clock.advance(1);

    expect(given.sim.sessions.open(given.set, 'owner-2').owner).toBe('owner-2');
    expect(() => given.sim.sessions.require(given.set, session.id)).toThrow('400');
  });

  test('a held poll keeps its session alive, and its end starts the expiry', async () => {
    const given = aSimulator({ pollHoldMs: 200_000 });
    const { poll } = aSession(given);
    const held = poll();

    await given.clock.advance(150_000);
    expect(() => given.sim.sessions.open(given.set, 'owner-2')).toThrow('409');
    held.end({ kind: 'none' });
    await given.clock.advance(74_999);
    expect(() => given.sim.sessions.open(given.set, 'owner-2')).toThrow('409');
    await given.clock.advance(1);

    expect(given.sim.sessions.open(given.set, 'owner-2').owner).toBe('owner-2');
  });

  test('eviction ends the held poll and makes the session unknown', async () => {
    const given = aSimulator();
    const { session, poll } = aSession(given);
    const held = poll();

    given.sim.sessions.end(session, 'evicted');

    await expect(held.answer).resolves.toEqual({ kind: 'gone' });
    expect(() => given.sim.sessions.require(given.set, session.id)).toThrow('404');
  });

  test('retracted jobs come back as assigned and cancelled, and queue again', async () => {
    const given = aSimulator({ endedSessionJobs: 'retract' });
    const { session, poll } = aSession(given);
    const held = poll();
    given.sim.jobs.add(job);
    await held.answer;

    given.sim.sessions.end(session, 'deleted');

    expect(given.sim.jobs.counts()).toMatchObject({ queued: 1, assigned: 0 });
    const next = await aSession(given).poll(100_000_001).answer;
    expect(kindsIn(next)).toEqual(['JobAssigned', 'JobCompleted', 'JobAssigned']);
  });
});

describe('tokens', () => {
  test('an expired token is refused, and one kind does not pass for another', async () => {
    const { clock, sim } = aSimulator({ queueTokenMs: 1000 });
    const { token } = sim.tokens.issue('queue', 's');

    expect(sim.tokens.check('queue', token)).toBe('s');
    expect(sim.tokens.check('admin', token)).toBeUndefined();
    await clock.advance(1000);

    expect(sim.tokens.check('queue', token)).toBeUndefined();
  });
});
