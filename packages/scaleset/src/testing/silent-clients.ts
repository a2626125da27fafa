import { silentLogger } from '@baton/shared/telemetry';
import { type Clock, systemClock } from '@baton/shared/time';
import { onTestFinished } from 'vitest';
import { GitHubClients } from '../github-clients.ts';

/** Clients with the credentials of a file, directly to GitHub. */
export function silentClients(file: string, clock: Clock = systemClock): GitHubClients {
  const log = silentLogger();
  const clients = GitHubClients.fromFile(file, {
    clock,
    random: () => 0.5,
    log,
    subsystem: 'test',
  });
  onTestFinished(() => clients.close());
  return clients;
}
