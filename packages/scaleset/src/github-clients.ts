import type { Random } from '@baton/shared/retry';
import type { Logger, MetricSource, Metrics } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { LimitReport } from './call-gate.ts';
import { type ConfigUrl, parseConfigUrl } from './config-url.ts';
import { type Credential, credentialKey } from './credential.ts';
import { Credentials } from './credentials.ts';
import { MessageQueueClient } from './message-queue-client.ts';
import { loadNetwork, type Network, type NetworkSettings } from './network.ts';
import { rateLimitGauges } from './rate-limit-gauges.ts';
import type { AdminConnection } from './rest-auth.ts';
import { ScaleSetClient } from './scale-set-client.ts';
import { type TokenSource, TokenSources, type Tokens } from './token-source.ts';
import { GitHubTransport } from './transport.ts';

interface GitHubClientsOptions {
  clock: Clock;
  random: Random;
  log: Logger;
  /** The part of Baton that calls: "listener". */
  subsystem: string;
  network?: Network;
}

/** The clients for one config URL. */
export interface GitHubClient {
  client: ScaleSetClient;
  queue: (githubScaleSetId: number) => MessageQueueClient;
}

/**
 * The clients of a process, shared by all scale sets of one credential and config URL. They go on
 * working when a credential changes: their next call uses the new one.
 */
export class GitHubClients {
  readonly transport: GitHubTransport;
  readonly credentials: Credentials;
  readonly #sources: TokenSources;
  readonly #clients = new Map<string, GitHubClient>();

  private constructor(transport: GitHubTransport, credentials: Credentials) {
    this.transport = transport;
    this.#sources = new TokenSources(transport);
    this.credentials = credentials;
  }

  /** @throws ConfigError when the file of credentials cannot be used. */
  static fromFile(file: string, options: GitHubClientsOptions): GitHubClients {
    const { subsystem, ...given } = options;
    const rest = { ...given, log: given.log.child({ component: 'github' }) };
    const identity = { system: 'baton', version: '0.1.0', commitSha: '', subsystem };
    const transport = new GitHubTransport({ ...rest, identity });
    return new GitHubClients(transport, new Credentials(file, rest.log));
  }

  /**
   * For a service: through the proxies and with the certificates of its configuration, and with
   * credentials that follow their files until `close()`. `onCredentials` is told when others are in use.
   * Its metrics are added to `metrics`.
   * @throws ConfigError when a file cannot be used.
   */
  static forService(
    settings: NetworkSettings & { credentialsFile: string },
    { metrics, ...options }: Omit<GitHubClientsOptions, 'network'> & { metrics: Metrics },
    onCredentials?: () => void,
  ): GitHubClients {
    const network = loadNetwork(settings);
    const clients = GitHubClients.fromFile(settings.credentialsFile, { ...options, network });
    clients.followCredentials(onCredentials);
    metrics.add(...clients.metrics);
    return clients;
  }

  /** Takes over changed credentials from now on, and tells when it did. */
  followCredentials(onCredentials?: () => void): void {
    const { clock, closed: signal } = this.transport;
    const onChange = (credentials: Iterable<Credential>) => {
      this.#sources.retain(credentials);
      onCredentials?.();
    };
    void this.credentials.follow({ clock, signal, onChange });
  }

  /** @throws ConfigError for an unknown name, a bad URL, or a host the credential may not see. */
  get(credentialName: string, configUrl: string): GitHubClient {
    const tokens = this.tokens(credentialName, configUrl);
    const key = `${credentialName} ${configUrl}`;
    const known = this.#clients.get(key);
    if (known) return known;
    const { transport } = this;
    const made: GitHubClient = {
      client: new ScaleSetClient({ transport, tokens }),
      queue: (scaleSetId) => new MessageQueueClient({ transport, tokens, scaleSetId }),
    };
    this.#clients.set(key, made);
    return made;
  }

  /** The token chain behind `get`. Throws as that does. */
  tokens(credentialName: string, configUrl: string): Tokens {
    const parsed = parseConfigUrl(configUrl);
    const source = () => this.#sources.get(parsed, this.credentials.get(credentialName));
    source();
    return new CurrentTokens(parsed, source);
  }

  /** What the calls of this process to GitHub come to, and what its limits leave. */
  get metrics(): MetricSource[] {
    return [...this.transport.metrics.sources, ...rateLimitGauges(() => this.#restLimits())];
  }

  *#restLimits(): Iterable<[string, LimitReport[]]> {
    const reports = this.transport.limits();
    for (const [name, credential] of this.credentials.all) {
      const key = credentialKey(credential);
      yield [name, reports.filter((report) => report.credential === key)];
    }
  }

  /** Ends all connections; calls under way reject. */
  async close(): Promise<void> {
    await this.transport.close();
  }
}

/** The tokens of whatever the credential is by now. */
class CurrentTokens implements Tokens {
  readonly configUrl: ConfigUrl;
  readonly #source: () => TokenSource;

  constructor(configUrl: ConfigUrl, source: () => TokenSource) {
    this.configUrl = configUrl;
    this.#source = source;
  }

  async connection(signal?: AbortSignal): Promise<AdminConnection> {
    return await this.#source().connection(signal);
  }

  invalidate(refused: AdminConnection): void {
    this.#source().invalidate(refused);
  }
}
