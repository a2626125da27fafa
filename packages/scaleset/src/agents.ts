import { Agent, type Dispatcher } from 'undici';

/** The two connection pools. A proxy or a private CA is to be set up here, and only here. */
export interface Agents {
  /** For everything that is answered at once. */
  admin: Dispatcher;
  /** For long polls: each holds a connection of its own, and never delays an admin call. */
  poll: Dispatcher;
}

const common = {
  // One call at a time on a connection, so that a lost connection costs one call.
  pipelining: 1,
  allowH2: false,
  connect: { timeout: 10_000 },
  // Deadlines are set per call, by the injected clock.
  headersTimeout: 0,
  bodyTimeout: 0,
  maxResponseSize: 64 * 1024 * 1024,
} as const;

export function createAgents(): Agents {
  return {
    admin: new Agent({ ...common, connections: 64 }),
    poll: new Agent({ ...common, connections: null }),
  };
}
