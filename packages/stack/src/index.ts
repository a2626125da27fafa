export {
  type GitHubSide,
  LocalStack,
  type ScaleSetEntry,
  type StackOptions,
} from './local-stack.ts';
export { findNatsServer, type NatsServer, startNatsServer } from './nats-server.ts';
export { type ServiceName, ServiceProcess } from './service-process.ts';
