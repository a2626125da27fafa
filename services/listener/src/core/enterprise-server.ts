import { parseConfigUrl } from '@baton/scaleset';

/** Whether a config URL names a GitHub Enterprise Server, whose API is at the same host. Pure. */
export function isEnterpriseServer(configUrl: string): boolean {
  const { host, restBaseUrl } = parseConfigUrl(configUrl);
  return new URL(restBaseUrl).host === host;
}
