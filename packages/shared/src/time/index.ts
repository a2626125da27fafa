export { isAborted } from './abort.ts';
export { type Clock, isoNow, systemClock } from './clock.ts';
export { withDeadline } from './deadline.ts';
