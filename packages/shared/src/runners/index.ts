export { endMark } from './end-mark.ts';
export { isBoundHere, isElsewhere } from './is-elsewhere.ts';
export { type Absences, isSuspicious, judgeAbsence } from './judge-absence.ts';
export { withoutSpan } from './learn.ts';
export { type MarkDeps, markRunner } from './mark-runner.ts';
export type { JobFacts, Observation } from './observation.ts';
export {
  type ObservationCounter,
  type Observed,
  observationCounter,
  observeRunner,
  type RunnerChange,
} from './observe-runner.ts';
export type { Phase } from './runner-phases.ts';
export {
  recordInterruptedCreate,
  recordPhase,
  recordRunnerSpan,
  runnerAttributes,
} from './runner-trace.ts';
export { marksFrom, type Transition, transition, transitions } from './transition.ts';
