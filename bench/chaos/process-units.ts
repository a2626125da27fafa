import type { LocalStack, ServiceProcess } from '@baton/stack';

/** A process that can be struck. */
export interface Unit {
  name: string;
  kill(): Promise<void>;
  /** Whether the process of now has come so far that it heeds signals. */
  started(): boolean;
  freeze(): void;
  thaw(): void;
  /** SIGTERM; resolves with the exit code when it has ended. */
  terminate(): Promise<number>;
  /** Does nothing when it runs. */
  startAgain(): Promise<void>;
  /** Resolves with the exit code, and its last lines, when the process of now has ended. */
  ended(): Promise<string>;
}

export function unitsOf(stack: LocalStack): Map<string, Unit> {
  const units = [...stack.services.map(serviceUnit), natsUnit(stack)];
  return new Map(units.map((unit) => [unit.name, unit]));
}

function serviceUnit(service: ServiceProcess): Unit {
  return {
    name: service.instance,
    kill: () => service.kill(),
    started: () => service.started,
    freeze: () => service.signal('SIGSTOP'),
    thaw: () => service.signal('SIGCONT'),
    terminate: () => service.stop(),
    startAgain: async () => {
      if (!service.running) service.restart();
      await Promise.resolve();
    },
    ended: async () => {
      const exitCode = await service.exited();
      return `exit code ${exitCode}: ${service.recentLines.at(-1) ?? ''}`;
    },
  };
}

function natsUnit(stack: LocalStack): Unit {
  return {
    name: 'nats',
    kill: () => stack.killNats(),
    started: () => true,
    freeze: () => process.kill(stack.natsPid, 'SIGSTOP'),
    thaw: () => process.kill(stack.natsPid, 'SIGCONT'),
    terminate: async () => {
      process.kill(stack.natsPid, 'SIGTERM');
      await stack.natsExited();
      return 0;
    },
    startAgain: () => stack.restartNats(),
    ended: async () => {
      await stack.natsExited();
      return 'see nats.log';
    },
  };
}
