export { isBoundHere, isElsewhere } from './is-elsewhere.ts';
export { type Observed, observeRunner } from './observe-runner.ts';
export { type Observation, type Transition, transition, transitions } from './transition.ts';
