import { connect, Events, type NatsConnection } from 'nats';
import type { Secret } from '../config/index.ts';
import { AppError, errorText } from '../errors/index.ts';
import { gauge, type Logger, type Metrics } from '../telemetry/index.ts';
import type { Clock } from '../time/index.ts';
import { Link } from './link.ts';
import { MessageMetrics } from './message-metrics.ts';

/** As read by `natsVariables`. */
export interface NatsSettings {
  natsUrl: string;
  natsUser: string;
  natsPassword: Secret;
  /** How long the first connection may take, in ms. */
  natsConnectTimeoutMs: number;
}

/** The longest time a client of ours waits between two attempts to reconnect, in ms. */
export const maxReconnectDelayMs = 400;

/** One connection to NATS that reconnects for ever, and knows how long it has been up. */
export interface Nats extends AsyncDisposable {
  readonly connection: NatsConnection;
  readonly clock: Clock;
  readonly log: Logger;
  /** What is counted of the messages that this process handles. */
  readonly messages: MessageMetrics;
  /** What the subjects of replies must begin with: no other may be listened to. */
  readonly inboxPrefix: string;
  /** How long the connection has been up without a break, in ms; 0 while it is down. */
  connectedForMs(): number;
  /** How long the connection has been down, in ms; 0 while it is up. */
  awayForMs(): number;
  /** Whether it is down, or back for so short a time that what failed meanwhile is still told. */
  disturbed(): boolean;
  [Symbol.asyncDispose](): Promise<void>;
}

interface ConnectOptions extends NatsSettings {
  /** Shown in the server's connection list, and the last part of the inbox prefix. */
  name: string;
  log: Logger;
  clock: Clock;
  /** Told while the connection is down. */
  health?: { report(part: string, reason: string | undefined): void };
  /** Has what tells of the connection and of messages added. */
  metrics?: Metrics;
  signal?: AbortSignal;
}

/**
 * Connects, trying again until `natsConnectTimeoutMs` has passed.
 *
 * Replies go to `_INBOX_<user>.…`, so that a user's permissions can name its own replies only.
 * @throws AppError `nats` when the server cannot be reached or refuses the user.
 */
export async function connectNats(given: ConnectOptions): Promise<Nats> {
  const options = { ...given, log: given.log.child({ component: 'nats' }) };
  const { natsUrl, natsUser, log, clock, metrics, signal } = options;
  metrics?.add(connectedGauge(() => false));
  const giveUpAt = clock.monotonic() + options.natsConnectTimeoutMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return watchConnection(await dial(options), options);
    } catch (cause) {
      const refused = /authorization/i.test(String(cause));
      if (refused || clock.monotonic() >= giveUpAt) {
        throw new AppError('nats', connectFailureText(natsUrl, natsUser, refused), { cause });
      }
      if (attempt === 0)
        log.warn({ natsUrl, reason: errorText(cause) }, 'nats is not reachable yet');
    }
    await clock.sleep(500, signal);
  }
}

function dial({ natsUrl, natsUser, natsPassword, name }: ConnectOptions): Promise<NatsConnection> {
  return connect({
    servers: natsUrl,
    user: natsUser,
    pass: natsPassword.reveal(),
    name,
    inboxPrefix: inboxPrefixOf(natsUser),
    maxReconnectAttempts: -1,
    reconnectTimeWait: maxReconnectDelayMs / 2,
    reconnectJitter: maxReconnectDelayMs / 2,
    pingInterval: 5_000,
    timeout: 2_000,
    ignoreClusterUpdates: false,
    // Or every request makes two errors in advance. Ours say what was tried.
    noAsyncTraces: true,
  });
}

function connectFailureText(url: string, user: string, refused: boolean): string {
  return refused
    ? `NATS at ${url} refused user "${user}": check BATON_NATS_USER and BATON_NATS_PASSWORD`
    : `NATS at ${url} cannot be reached: start nats-server there, or set BATON_NATS_URL`;
}

function inboxPrefixOf(natsUser: string): string {
  return `_INBOX_${natsUser}`;
}

function watchConnection(connection: NatsConnection, options: ConnectOptions): Nats {
  const { clock, log, metrics, natsUser } = options;
  const link = new Link(options);
  const messages = new MessageMetrics();
  metrics?.add(
    connectedGauge(() => link.isUp),
    link.reconnects,
    ...messages.sources,
  );
  const watch = async () => {
    for await (const { type, data } of connection.status()) {
      if (type === Events.Disconnect) link.lost();
      else if (type === Events.Reconnect) link.back();
      else if (type === Events.Error) {
        log.error(
          { reason: typeof data === 'string' ? data : 'unknown' },
          'nats reported an error',
        );
      }
    }
  };
  // Ends with the process: the client does not end this iterator when the connection is closed.
  void watch();
  return {
    connection,
    clock,
    log,
    messages,
    inboxPrefix: inboxPrefixOf(natsUser),
    connectedForMs: () => link.upForMs,
    awayForMs: () => link.downForMs,
    disturbed: () => link.disturbed,
    async [Symbol.asyncDispose]() {
      link.end();
      await connection.close();
    },
  };
}

function connectedGauge(isUp: () => boolean) {
  return gauge('baton_nats_connected', '1 while the connection to NATS is up.', () => [
    { value: isUp() ? 1 : 0, labels: {} },
  ]);
}
