import type { ScaleSet, Statistics } from './model.ts';

/** What the service says about a scale set now, with the drift that a test asked for. */
export function statisticsOf(set: ScaleSet, dialect: 'github.com' | 'ghes'): Statistics {
  const { statistics, drift } = set.play;
  const offered = dialect === 'ghes';
  const measured: Statistics = {
    totalAvailableJobs: offered ? set.available.size : 0,
    totalAcquiredJobs: offered ? set.waiting.size : 0,
    totalAssignedJobs: set.waiting.size + set.running.size,
    totalRunningJobs: set.running.size,
    totalRegisteredRunners: set.idle.size + set.busy.size,
    totalBusyRunners: set.busy.size,
    totalIdleRunners: set.idle.size,
  };
  return {
    totalAvailableJobs: measured.totalAvailableJobs + (drift.totalAvailableJobs ?? 0),
    totalAcquiredJobs: measured.totalAcquiredJobs + (drift.totalAcquiredJobs ?? 0),
    totalAssignedJobs: measured.totalAssignedJobs + (drift.totalAssignedJobs ?? 0),
    totalRunningJobs: measured.totalRunningJobs + (drift.totalRunningJobs ?? 0),
    totalRegisteredRunners: measured.totalRegisteredRunners + (drift.totalRegisteredRunners ?? 0),
    totalBusyRunners: measured.totalBusyRunners + (drift.totalBusyRunners ?? 0),
    totalIdleRunners: measured.totalIdleRunners + (drift.totalIdleRunners ?? 0),
    ...statistics,
  };
}
