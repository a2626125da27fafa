import type { Job, ScaleSet } from '../core/model.ts';
import type { Simulator } from '../core/simulator.ts';
import { statisticsOf } from '../core/statistics.ts';
import type { Books, JobRecord, SimState } from './schemas.ts';

/** What happened, counted by the one party that Baton cannot influence. */
export function booksOf(sim: Simulator): Books {
  const gaps = sim.gaps.report();
  const { runnersOnline } = sim.desk;
  const { jobsStarted } = sim.flow;
  return {
    jobs: sim.jobs.counts(),
    lostJobs: sim.jobs.lostCount(),
    runnersOnline,
    jobsStarted,
    duplicateRunners: runnersOnline - jobsStarted,
    unusedRunners: sim.desk.unused.map(({ name, set, createdAt, onlineAt = 0 }) => ({
      name,
      scaleSet: set.name,
      registeredAt: createdAt,
      onlineAt,
    })),
    registrations: sim.runners.all().map(({ name }) => name),
    sessionGapMs: Math.max(0, ...Object.values(gaps)),
    sessionGapMsByScaleSet: gaps,
    sessionsCreated: sim.sessions.created,
    sessionConflicts: sim.sessions.conflicts,
    messagesRedelivered: sim.polls.messagesRedelivered,
    traffic: sim.traffic.report(),
  };
}

export function stateOf(sim: Simulator): SimState {
  return {
    dialect: sim.options.dialect,
    pollsHeld: sim.polls.heldCount,
    jobs: sim.jobs.counts(),
    scaleSets: sim.scaleSets.all().map((set) => ({
      id: set.id,
      name: set.name,
      scope: set.scope,
      runnerGroupId: set.runnerGroupId,
      labels: [...set.labels],
      session: sessionState(sim, set),
      statistics: statisticsOf(set, sim.options.dialect),
      messages: set.log.length,
      muted: set.play.muted,
    })),
    runners: sim.runners.all().map((runner) => ({
      id: runner.id,
      name: runner.name,
      scaleSet: runner.set.name,
      status: runner.status,
      connected: runner.instance !== undefined,
      jobId: runner.job?.id ?? null,
    })),
    faults: sim.faults.list().map(({ id, seen, hits }) => ({ id, seen, hits })),
  };
}

export function jobRecord(job: Job): JobRecord {
  return {
    id: job.id,
    status: job.status,
    result: job.outcome ?? null,
    repository: `${job.owner}/${job.repository}`,
    labels: [...job.labels],
    scaleSet: job.set?.name ?? null,
    assignments: job.assignments,
    queuedAt: job.queuedAt,
    assignedAt: job.assignedAt ?? null,
    startedAt: job.startedAt ?? null,
    completedAt: job.completedAt ?? null,
    runnerName: job.runner?.name ?? null,
  };
}

function sessionState(sim: Simulator, set: ScaleSet): SimState['scaleSets'][number]['session'] {
  const session = sim.sessions.current(set);
  if (!session) return null;
  const capacity = session.held?.capacity ?? Number.POSITIVE_INFINITY;
  return {
    id: session.id,
    owner: session.owner,
    since: new Date(session.startedAt).toISOString(),
    lastPollAgoMs: Math.round(sim.clock.monotonic() - session.lastPollAt),
    polls: session.polls,
    held: session.held !== undefined,
    heldCapacity: Number.isFinite(capacity) ? capacity : null,
  };
}
