export { freePort } from './free-port.ts';
export { LocalStack } from './local-stack.ts';
export { findNatsServer, type NatsServer, startNatsServer } from './nats-server.ts';
export { type ServiceName, ServiceProcess } from './service-process.ts';
export type { GitHubSide, ScaleSetEntry, StackOptions } from './stack-options.ts';
export { pick, seededRandom } from './start/random.ts';
