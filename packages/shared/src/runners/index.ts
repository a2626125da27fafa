export { type Observed, observeRunner } from './observe-runner.ts';
export { type Observation, type Transition, transition, transitions } from './transition.ts';
