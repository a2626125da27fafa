/**
 * Names of what spans say. OpenTelemetry's semantic conventions (messaging, CI/CD, error) where they
 * have a word; `baton.*` otherwise.
 */
export const attributes = {
  scaleSet: 'baton.scale_set.id',
  /** Id of the runner in Baton; its name at GitHub is `runnerName`. */
  runner: 'baton.runner.id',
  runnerName: 'cicd.worker.name',
  provider: 'baton.provider',
  instance: 'baton.instance.id',
  epoch: 'baton.session.epoch',
  /** How often it has been begun, this time included. */
  attempt: 'baton.attempt',
  /** Runners that a scale set should have, has, asks for now and lets go now; why there are not more. */
  planWanted: 'baton.plan.wanted',
  planAlive: 'baton.plan.alive',
  planRequested: 'baton.plan.requested',
  planRetired: 'baton.plan.retired',
  planWaiting: 'baton.plan.waiting',
  session: 'baton.session.id',
  /** How a session was got: resumed, taken over, created, waited out. */
  sessionHow: 'baton.session.how',
  /** Why the session before had to be replaced. */
  sessionReplaced: 'baton.session.replaced',
  lease: 'baton.lease.name',
  /** What was found of a lease that was taken: free, broken (its holder was dead), own. */
  leaseFound: 'baton.lease.found',
  /** How often GitHub was asked. */
  attempts: 'baton.attempts',
  markReason: 'baton.mark.reason',
  sweep: 'baton.sweep.name',
  /** What a sweep looked at, did, and holds until it is confirmed. */
  lookedAt: 'baton.sweep.looked_at',
  acted: 'baton.sweep.acted',
  held: 'baton.sweep.held',
  host: 'host.id',
  jobId: 'cicd.pipeline.task.run.id',
  jobName: 'cicd.pipeline.task.name',
  jobResult: 'cicd.pipeline.task.run.result',
  workflowRun: 'cicd.pipeline.run.id',
  repository: 'vcs.repository.name',
  messagingSystem: 'messaging.system',
  messagingOperation: 'messaging.operation.name',
  /** `send`, `receive` or `process`. */
  messagingOperationType: 'messaging.operation.type',
  /** The subject, or the scale set whose queue at GitHub it is. */
  destination: 'messaging.destination.name',
  destinationTemplate: 'messaging.destination.template',
  consumer: 'messaging.consumer.group.name',
  messageId: 'messaging.message.id',
  /** Entries about jobs in a message of GitHub. */
  jobs: 'baton.message.jobs',
  /** How often this message has been delivered. */
  delivery: 'baton.message.delivery',
  /** What became of the work: one of few words. */
  outcome: 'baton.outcome',
  errorType: 'error.type',
  /** Class of a runner's failure, as in its record. */
  failureClass: 'baton.failure.class',
} as const;
