export type { RemoveRunnerResult } from './calls-runner.ts';
export type { ScaleSetSpec } from './calls-scale-set.ts';
export type { AcquirableJob, DeleteSessionResult } from './calls-session.ts';
export { type ConfigUrl, describeScope, parseConfigUrl } from './config-url.ts';
export type { AppCredential, Credential, PatCredential } from './credential.ts';
export { checkGitHub } from './doctor/check-github.ts';
export {
  GitHubApiError,
  type GitHubErrorInfo,
  type GitHubErrorKind,
  isGitHubError,
} from './errors.ts';
export { type GitHubClient, GitHubClients } from './github-clients.ts';
export type {
  JobAssigned,
  JobAvailable,
  JobCompleted,
  JobFields,
  JobMessage,
  JobStarted,
  UnknownJobMessage,
} from './job-message.ts';
export { missingLabels, wantedLabels } from './labels.ts';
export {
  type AcquireResult,
  type GetMessageOptions,
  MessageQueueClient,
  type QueueAccess,
} from './message-queue-client.ts';
export { loadNetwork, type Network, type NetworkSettings } from './network.ts';
export {
  type JobsMessage,
  parseJobMessages,
  parseQueueMessage,
  type QueueMessage,
  type UnreadableMessage,
} from './queue-message.ts';
export { ScaleSetClient } from './scale-set-client.ts';
export type {
  JitConfig,
  Runner,
  RunnerGroup,
  RunnerSetting,
  ScaleSet,
  Session,
  Statistics,
} from './schemas.ts';
export { type TokenSource, TokenSources } from './token-source.ts';
export {
  type CallOptions,
  type ClientIdentity,
  GitHubTransport,
  type TransportOptions,
} from './transport.ts';
