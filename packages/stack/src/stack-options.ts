import type { ServiceName } from './service-process.ts';

/** Where the GitHub side is: our simulator, or the real one. */
export type GitHubSide =
  | { kind: 'simulator'; args: readonly string[] }
  /** The simulator of another stack, and the same folder for runners as processes. */
  | { kind: 'beside'; stack: { dir: string; configUrl: string } }
  | {
      kind: 'real';
      configUrl: string;
      token: string;
      /** For runners as processes. */
      runnerCommand?: readonly [string, ...string[]] | undefined;
      /** For runners in containers; default: that of the provider. */
      runnerImage?: string | undefined;
    };

/** What `--provider` can name; each has its line in providers/prepare-provider.ts. */
export const providerNames = ['process', 'docker', 'external'] as const;
export type ProviderName = (typeof providerNames)[number];

export interface StackOptions {
  env: Readonly<Record<string, string | undefined>>;
  services: Readonly<Record<ServiceName, number>>;
  github: GitHubSide;
  /** Default: process. */
  provider?: ProviderName | undefined;
  /** Default: `local`, and one of its own where stacks share what runs their instances. */
  installationId?: string;
  /** The program of simulated runners, and what it finds in its environment. Default: a Node process each. */
  simulatedRunner?: { command: readonly [string]; env: Readonly<Record<string, string>> };
  maxInstances: number;
  leaseTtlMs: number;
  /** More variables for the services. */
  serviceEnv?: Record<string, string>;
  /** More variables for the processes of one service. */
  envOf?: Partial<Record<ServiceName | 'cli', Record<string, string>>>;
  /** What is started for a service, where it is not the service's own program. */
  programs?: Partial<Record<ServiceName, string>> | undefined;
  /** Each service process shows the simulator a token of its own, so that its journal names it. */
  ownTokens?: boolean | undefined;
  /** Told what is being done, line by line. */
  say: (text: string) => void;
  /** Told each line that a service logs. */
  onLog?: ((line: string) => void) | undefined;
  /** Calls the start off; what was started by then is stopped. */
  signal?: AbortSignal | undefined;
  /** Nothing is waited for any more: whatever still runs is killed. */
  hurry?: AbortSignal | undefined;
  /** Where the logs are moved to at the end; without it they go with the rest. */
  keepLogsIn?: string | undefined;
}

export interface ScaleSetEntry {
  name: string;
  maxRunners: number;
  minRunners?: number;
  bootstrapTimeoutSeconds?: number;
  spareAfterSeconds?: number;
  enabled?: boolean;
  adopt?: boolean;
  group?: string;
  labels?: readonly string[];
  runnerNamePrefix?: string;
}
