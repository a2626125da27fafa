export {
  type DeadLetter,
  type DemandChanged,
  deadLetterSchema,
  demandChangedSchema,
  type JobEvent,
  jobCompletedSchema,
  jobStartedSchema,
  type ListenerEvent,
  listenerEventSchema,
  type RunnerCommand,
  type RunnerEvent,
  runnerCommandSchema,
  runnerEventSchema,
} from './events.ts';
export { type Plan, planSchema } from './plan.ts';
export { type Registration, registrationSchema } from './registration.ts';
export {
  deletedRunnerKeptMs,
  type Mark,
  type Runner,
  type RunnerState,
  runnerIdOf,
  runnerKey,
  runnerName,
  runnerSchema,
  runnerStates,
} from './runner.ts';
export {
  comparePositions,
  type Demand,
  type Position,
  type RingEntry,
  type SessionRecord,
  sessionRecordSchema,
} from './session-record.ts';
export {
  generationOf,
  installationIdSchema,
  type ScaleSetDeclaration,
  type Spec,
  scaleSetDeclarationSchema,
  scaleSetFileSchema,
  scaleSetIdOf,
  specSchema,
  tokenSchema,
} from './spec.ts';
export {
  type Member,
  memberSchema,
  type ScaleSetState,
  type Status,
  statusSchema,
} from './status.ts';
export {
  type CommandVerb,
  commandSubject,
  deadSubject,
  type EventSource,
  eventSubject,
  type HintTopic,
  hintSubject,
  livenessSubject,
} from './subjects.ts';
export {
  type BucketDefinition,
  buckets,
  type ConsumerDefinition,
  commandAckWaitMs,
  consumers,
  type StreamDefinition,
  streams,
  type Topology,
  type TopologySettings,
  topology,
} from './topology.ts';
