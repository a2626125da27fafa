export { isAborted, notNeeded } from './abort.ts';
export { type Clock, isoNow, systemClock } from './clock.ts';
export { clockDifference, clockLimits } from './clock-difference.ts';
export { withDeadline } from './deadline.ts';
export { withSoftDeadline } from './soft-deadline.ts';
