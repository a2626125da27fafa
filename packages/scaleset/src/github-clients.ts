import { ConfigError } from '@baton/shared/errors';
import type { Random } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import { parseConfigUrl } from './config-url.ts';
import type { Credential } from './credential.ts';
import { loadCredentials } from './credentials-file.ts';
import { MessageQueueClient } from './message-queue-client.ts';
import { ScaleSetClient } from './scale-set-client.ts';
import { TokenSources } from './token-source.ts';
import { GitHubTransport } from './transport.ts';

interface GitHubClientsOptions {
  clock: Clock;
  random: Random;
  log: Logger;
  /** The part of Baton that calls: "listener". */
  subsystem: string;
}

/** The clients for one config URL. */
export interface GitHubClient {
  client: ScaleSetClient;
  queue: (githubScaleSetId: number) => MessageQueueClient;
}

/** The clients of a process, shared by all scale sets of one credential and config URL. */
export class GitHubClients {
  readonly #transport: GitHubTransport;
  readonly #tokens: TokenSources;
  readonly #credentials: ReadonlyMap<string, Credential>;
  readonly #clients = new Map<string, GitHubClient>();

  private constructor(transport: GitHubTransport, credentials: ReadonlyMap<string, Credential>) {
    this.#transport = transport;
    this.#tokens = new TokenSources(transport);
    this.#credentials = credentials;
  }

  /** @throws ConfigError when the file of credentials cannot be used. */
  static fromFile(file: string, options: GitHubClientsOptions): GitHubClients {
    const { clock, random, log, subsystem } = options;
    const identity = { system: 'baton', version: '0.1.0', commitSha: '', subsystem };
    const transport = new GitHubTransport({ clock, random, log, identity });
    return new GitHubClients(transport, loadCredentials(file));
  }

  /** @throws ConfigError for an unknown name, a bad URL, or a host the credential may not see. */
  get(credentialName: string, configUrl: string): GitHubClient {
    const key = `${credentialName} ${configUrl}`;
    const known = this.#clients.get(key);
    if (known) return known;
    const credential = this.#credentials.get(credentialName);
    if (!credential) {
      throw new ConfigError(
        `credential "${credentialName}" is not in BATON_CREDENTIALS_FILE: add it there, or change the scale set`,
      );
    }
    const tokens = this.#tokens.get(parseConfigUrl(configUrl), credential);
    const transport = this.#transport;
    const made: GitHubClient = {
      client: new ScaleSetClient({ transport, tokens }),
      queue: (scaleSetId) => new MessageQueueClient({ transport, tokens, scaleSetId }),
    };
    this.#clients.set(key, made);
    return made;
  }

  /** Ends all connections; calls under way reject. */
  async close(): Promise<void> {
    await this.#transport.close();
  }
}
