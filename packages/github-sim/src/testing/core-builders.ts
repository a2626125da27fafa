import { FakeClock } from '@baton/testkit';
import { z } from 'zod';
import type { JobSpec } from '../core/job-board.ts';
import type { PollAnswer, Runner, ScaleSet } from '../core/model.ts';
import { defaultOptions, type SimOptions } from '../core/options.ts';
import { Simulator } from '../core/simulator.ts';

const entriesSchema = z.array(z.object({ messageType: z.string() }));

/** A job as `JobBoard.add` takes it. */
export const job: JobSpec = {
  count: 1,
  durationMs: 1000,
  scaleSet: 'linux',
  repository: 'acme/app',
  result: 'succeeded',
  lingerMs: 0,
};

export function aSimulator(options: Partial<SimOptions> = {}) {
  const clock = new FakeClock();
  const sim = new Simulator({
    clock,
    options: { ...defaultOptions, ...options },
    baseUrl: 'http://sim',
  });
  const set = sim.createScaleSet('orgs/acme', { name: 'linux' });
  return { clock, sim, set };
}

export function aSession({ sim, set }: { sim: Simulator; set: ScaleSet }) {
  const session = sim.sessions.open(set, 'owner-1');
  const poll = (cursor = 0, capacity = 100) => sim.poll(session, { cursor, capacity }).hold;
  return { session, poll };
}

export function aRunner(
  sim: Simulator,
  set: ScaleSet,
  name: string,
): { runner: Runner; token: string } {
  const { runner } = sim.runners.register(set, name, '_work');
  const { id: agentId, secret } = runner;
  return { runner, token: sim.desk.connect({ agentId, secret, instance: `of ${name}` }) };
}

export function kindsIn(answer: PollAnswer): string[] {
  if (answer.kind !== 'message') return [answer.kind];
  return entriesSchema.parse(JSON.parse(answer.body)).map(({ messageType }) => messageType);
}
