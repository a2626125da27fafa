import { Secret } from '@baton/shared/config';
import { systemClock } from '@baton/shared/time';
import { captureLog, type PrivateGitHub } from '@baton/testkit';
import { onTestFinished } from 'vitest';
import { GitHubClients } from '../github-clients.ts';
import { loadNetwork, type NetworkSettings } from '../network.ts';

/** Clients for a private GitHub, as a service there makes them; without what `without` names. */
export function clientsFor(github: PrivateGitHub, changed: NetworkSettings = {}) {
  const { log, lines } = captureLog();
  const network = loadNetwork({
    httpsProxyUpper: new Secret(github.proxyUrl),
    caFile: github.caFile,
    ...changed,
  });
  const clients = GitHubClients.fromFile(github.credentialsFile, {
    clock: systemClock,
    random: () => 0.5,
    log,
    subsystem: 'test',
    network,
  });
  onTestFinished(() => clients.close());
  return { ...clients.get('github', github.configUrl), clients, lines };
}
