import type { SweepFinding, SweepHold, SweepState } from '@baton/shared/contracts';
import type { Finding } from './sweep.ts';

/** What came of a run. */
export interface SweepResult {
  lookedAt: number;
  /** What was done, in a dry run what would be; and what is held. */
  found: SweepFinding[];
  /** How many were acted on; none in a dry run. */
  acted: Record<Finding['action'], number>;
  /** What was left alone, by why. */
  left: Record<string, number>;
  /** What stands, or in a dry run would stand, until it is confirmed. */
  hold: SweepHold | undefined;
  problem: string | undefined;
  recent: SweepState['recent'];
}

/** Why the engine leaves something that a sweep found. */
export const leftReasons = {
  held: 'held',
  later: 'more than a run does',
  failed: 'failed',
  ended: 'the run ended',
} as const;

export const nothingDone = { mark: 0, adopt: 0, deregister: 0 } as const;

/** A finding as answers and people have it. */
export function shownFinding(finding: Finding, held: boolean): SweepFinding {
  const isHeld = held ? { held } : {};
  if (finding.action === 'deregister') {
    const { action, runnerId, registration, text, evidence } = finding;
    return { action, runnerId, runnerName: registration.name, text, evidence, ...isHeld };
  }
  const { action, runner } = finding;
  const { text, evidence } = action === 'mark' ? finding.mark : finding;
  const { runnerId, name: runnerName, scaleSetId } = runner;
  return { action, runnerId, runnerName, scaleSetId, text, evidence, ...isHeld };
}

/** Adds numbers by name, and leaves out what comes to nothing. */
export function addUp(...counts: Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const count of counts)
    for (const [name, value] of Object.entries(count))
      if (value > 0) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}
