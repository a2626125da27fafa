export { type Backlog, readBacklog } from './backlog.ts';
export { connectNats, maxReconnectDelayMs, type Nats, type NatsSettings } from './connect.ts';
export { consumeLoop } from './consume-loop.ts';
export type { Copied } from './copied-keys.ts';
export { type DeadLetterFilter, DeadLetters } from './dead-letters.ts';
export type { StoredLetter } from './dead-letters-join.ts';
export { byRoute, replayLoop, replayRoute } from './dead-letters-replay.ts';
export { type ReplayAnswer, requestReplays } from './dead-letters-request.ts';
export { answerDoctor } from './doctor-answers.ts';
export { askDoctor, type DoctorReport } from './doctor-ask.ts';
export { EventLog, type EventRange, type StoredEvent } from './event-log.ts';
export { Hints } from './hints.ts';
export { type Entry, KvBucket, type Lookup } from './kv-bucket.ts';
export { KvCopy } from './kv-copy.ts';
export { watchLag } from './lag-watch.ts';
export { answerLogLevels } from './log-level-answers.ts';
export { askLogLevels } from './log-level-ask.ts';
export { isNoResponders, isTooLarge, natsFailure } from './nats-error.ts';
export { done, type Outcome, reject, retryLater } from './outcome.ts';
export { patiently } from './patiently.ts';
export { Publisher } from './publisher.ts';
export { natsClockAheadMs } from './server-clock.ts';
export { askSweep, type SweepReport, type SweepReports } from './sweep-ask.ts';
export {
  applyTopology,
  awaitTopologyPart,
  diffTopology,
  type TopologyDifference,
} from './topology.ts';
