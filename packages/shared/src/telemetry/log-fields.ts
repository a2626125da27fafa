import type { LogComponent } from './log-levels.ts';

/**
 * Every field that a log line may have besides those of all lines (`level`, `time`, `service`,
 * `instance`, `msg`, and the ids of a trace). A field that is not here does not compile. Its comment
 * stands in docs/logs.md.
 */
export interface LogFields {
  /** What the line is about; each has a level of its own. */
  component?: LogComponent | undefined;
  /** What was caught: type, code, message with its causes, details; a stack where nobody expected it. */
  err?: unknown;
  /** Why, for people. */
  reason?: string | undefined;
  /** What is wrong or was said, for people. */
  text?: string | undefined;
  /** What is wrong with data that came in. */
  problem?: string | undefined;

  /** Baton's id of the scale set. */
  scaleSetId?: string | undefined;
  /** The scale set that is asked about, by name or id. */
  scaleSet?: string | undefined;
  /** GitHub's id of the scale set. */
  githubScaleSetId?: number | undefined;
  /** Baton's id of the runner. */
  runnerId?: string | undefined;
  /** Its name at GitHub. */
  runnerName?: string | undefined;
  /** The provider's id of the instance. */
  instanceId?: string | undefined;
  /** Name of the provider. */
  provider?: string | undefined;
  /** Host on which instances are, where that matters. */
  hostId?: string | undefined;
  /** GitHub's id of the job. */
  jobId?: string | undefined;
  /** The job's name at GitHub. */
  jobDisplayName?: string | undefined;
  /** Owner and name of the repository. */
  repository?: string | undefined;
  /** GitHub's id of the workflow run. */
  workflowRunId?: string | undefined;
  /** Config URL whose runners are listed, and the credential that asks. */
  scope?: string | undefined;

  /** Count of claims of the scale set's session. */
  epoch?: number | undefined;
  /** How the session was got. */
  how?: string | undefined;
  /** Why the session before had to be replaced. */
  replaced?: string | undefined;
  /** Refusals because another session was active. */
  conflicts?: number | undefined;
  /** Call to GitHub that opens a session. */
  call?: string | undefined;
  /** What GitHub answered to it; what became of a dead letter. */
  result?: string | undefined;
  /** Condition of a scale set; all stand in the runbook. */
  condition?: string | undefined;
  /** Runners that GitHub is told could run. */
  capacity?: number | undefined;
  /** The same before. */
  before?: number | undefined;
  /** Listener that gets the scale set; level that components get. */
  to?: string | undefined;
  /** Labels that GitHub did not keep. */
  missing?: readonly string[] | undefined;
  /** Labels that it kept. */
  kept?: readonly string[] | undefined;
  /** Jobs that GitHub counts as waiting. */
  waiting?: number | undefined;
  /** Jobs that were acquired. */
  acquired?: number | undefined;
  /** Jobs that GitHub offered. */
  offered?: number | undefined;
  /** Jobs that it gave. */
  granted?: number | undefined;
  /** Jobs that GitHub has assigned to the scale set. */
  assigned?: number | undefined;
  /** Failures in a row. */
  failures?: number | undefined;

  /** Name of the lease. */
  leaseName?: string | undefined;
  /** Its revision, which fences what its holder does. */
  leaseRevision?: number | undefined;

  /** Subject at NATS. */
  subject?: string | undefined;
  /** Stream at NATS. */
  stream?: string | undefined;
  /** Consumer at NATS. */
  consumer?: string | undefined;
  /** Key of a record. */
  key?: string | undefined;
  /** Where NATS is, without its password. */
  natsUrl?: string | undefined;
  /** Id of GitHub's message. */
  messageId?: string | undefined;
  /** How often the message was delivered, this time included. */
  delivery?: number | undefined;
  /** Type of an event, or of one of GitHub's messages about jobs. */
  type?: string | undefined;
  /** Whether the record changed. */
  moved?: boolean | undefined;
  /** Facts that a message held. */
  facts?: number | undefined;
  /** Dead letter, as `baton dead list` names it. */
  letterId?: number | undefined;

  /** Step of a deletion, or what is told of a runner. */
  step?: string | undefined;
  /** Class of a provider's failure, or of that of a deletion. */
  class?: string | undefined;
  /** What follows, by kind: of the end of an instance, of an answer, of an instance's report. */
  kind?: string | undefined;
  /** Exit code of the runner program. */
  exitCode?: number | undefined;
  /** What a runner must have got rid of before its instance may go. */
  gate?: string | undefined;
  /** What was to be remembered about a deletion. */
  note?: string | undefined;
  /** What became of the registration that had the name. */
  removed?: string | undefined;
  /** Who asked for it. */
  operator?: string | undefined;
  /** Part of the queue of deletions. */
  lane?: string | undefined;

  /** Name of the sweep. */
  sweep?: string | undefined;
  /** What a sweep was about to do. */
  action?: string | undefined;
  /** Hold of a sweep, as `baton sweep confirm` wants it. */
  holdId?: string | undefined;
  /** How many it would mark. */
  count?: number | undefined;
  /** Of how many. */
  of?: number | undefined;
  /** The command that confirms it. */
  confirm?: string | undefined;
  /** Parts of the sweep that this janitor leads. */
  parts?: number | undefined;
  /** Whether nothing is to be changed. */
  dryRun?: boolean | undefined;
  /** What the sweep looked at. */
  lookedAt?: number | undefined;
  /** What it did, by action. */
  acted?: Readonly<Record<string, number>> | undefined;
  /** What it left alone, by reason. */
  left?: Readonly<Record<string, number>> | undefined;
  /** What it held back. */
  held?: number | undefined;

  /** Which attempt it was; the first is 1 or, of calls to GitHub, 0. */
  attempt?: number | undefined;
  /** Attempts so far. */
  attempts?: number | undefined;
  /** When it is tried again. */
  retryAt?: string | undefined;
  /** Until it is tried again, ms. */
  delayMs?: number | undefined;
  /** How long is waited, ms. */
  waitMs?: number | undefined;
  /** How long GitHub is not asked, ms. */
  pauseMs?: number | undefined;
  /** How long it took, ms. */
  durationMs?: number | undefined;
  /** How long the connection was away, ms. */
  afterMs?: number | undefined;
  /** For how long it has been away, ms. */
  downForMs?: number | undefined;
  /** Time to finish after a signal, ms. */
  drainTimeoutMs?: number | undefined;

  /** Components whose level changes. */
  components?: readonly LogComponent[] | undefined;
  /** What a pass is over, or a call is for. */
  what?: string | undefined;
  /** Names of credentials that changed. */
  credentials?: readonly string[] | undefined;
  /** Where traces go. */
  collector?: string | undefined;
  /** Host of GitHub. */
  host?: string | undefined;
  /** Which of its interfaces. */
  api?: string | undefined;
  /** Path that an instance asked for, without its token. */
  path?: string | undefined;
  /** Port that is listened on. */
  port?: number | undefined;
  /** Where instances find it. */
  url?: string | undefined;
  /** Tells this process from earlier ones of the same name. */
  incarnation?: string | undefined;
  /** Id of the process. */
  pid?: number | undefined;
  /** Port of `/livez`, `/readyz` and `/metrics`. */
  healthPort?: number | undefined;
  /** Signal that the process was sent. */
  signal?: string | undefined;
}
