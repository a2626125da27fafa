export { freePort } from '@baton/stack';
export {
  aDeclaration,
  aDemand,
  aPlan,
  aRunner,
  aSessionRecord,
  aSpec,
  at,
  installationId,
} from './builders.ts';
export { captureLog } from './capture-log.ts';
export { type ConnectProxy, startConnectProxy } from './connect-proxy.ts';
export { eventually } from './eventually.ts';
export { FakeClock } from './fake-clock.ts';
export { metricValues } from './metric-values.ts';
export {
  type NatsProxy,
  type ProxyMode,
  type PublishHook,
  startNatsProxy,
  type Verdict,
} from './nats-proxy.ts';
export { type OtlpReceiver, startOtlpReceiver } from './otlp/otlp-receiver.ts';
export type { ReceivedMetric } from './otlp/read-metrics.ts';
export type { ReceivedSpan } from './otlp/read-spans.ts';
export { makePrivateCa } from './private-ca.ts';
export { type PrivateGitHub, startPrivateGitHub } from './private-github.ts';
export { type RecordedSpan, recordSpans, type SpanRecord } from './record-spans.ts';
export { seedsOf } from './seeds.ts';
export { storedMessages } from './stored-messages.ts';
export { type NatsUser, startTestNats, type TestNats } from './test-nats.ts';
export { startTestProcess, type TestProcess } from './test-process.ts';
export { startTestSimulator, type TestSimulator } from './test-simulator.ts';
