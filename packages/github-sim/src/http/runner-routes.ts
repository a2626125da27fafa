import { z } from 'zod';
import type { RunnerAnswer } from '../core/model.ts';
import { Refusal } from '../core/refusal.ts';
import type { Simulator } from '../core/simulator.ts';
import {
  bearer,
  json,
  param,
  type Reply,
  type Route,
  readBody,
  type SimRequest,
} from './exchange.ts';

const connectSchema = z.object({ agentId: z.int(), secret: z.string(), instance: z.string() });
const completeSchema = z.object({ result: z.string().min(1) });

/** What runner processes speak. Not GitHub's own protocol, which is far larger. */
export function runnerRoutes(sim: Simulator): Route[] {
  return [
    {
      name: 'runnerBehaviour',
      method: 'GET',
      pattern: '/runner/:agentId/behaviour',
      handle: (request) => json(sim.desk.behaviour(Number(param(request, 'agentId')))),
    },
    {
      name: 'runnerConnect',
      method: 'POST',
      pattern: '/runner/connect',
      handle: (request) => json({ token: sim.desk.connect(readBody(request, connectSchema)) }),
    },
    {
      name: 'runnerWaitJob',
      method: 'POST',
      pattern: '/runner/wait-job',
      handle: (request) => hold(sim, request, 'wait'),
    },
    {
      name: 'runnerWatchJob',
      method: 'POST',
      pattern: '/runner/watch-job',
      handle: (request) => hold(sim, request, 'watch'),
    },
    {
      name: 'runnerComplete',
      method: 'POST',
      pattern: '/runner/complete',
      handle: (request) => {
        sim.desk.complete(bearer(request.headers), readBody(request, completeSchema).result);
        return json({});
      },
    },
  ];
}

async function hold(sim: Simulator, request: SimRequest, kind: 'wait' | 'watch'): Promise<Reply> {
  const held = sim.desk.hold(bearer(request.headers), kind);
  request.onGone(() => held.end({ kind: 'none' }));
  return runnerReply(await held.answer);
}

function runnerReply(answer: RunnerAnswer): Reply {
  switch (answer.kind) {
    case 'job': {
      const { id, durationMs, result, crashExitCode, lingerMs } = answer.job;
      return json({ jobId: id, durationMs, result, crashExitCode, lingerMs });
    }
    case 'cancel':
      return json({ canceled: true });
    case 'none':
      return { status: 202 };
    case 'removed':
      throw new Refusal(410, { message: 'The runner registration has been deleted.' });
  }
}
