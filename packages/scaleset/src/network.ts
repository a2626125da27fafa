import { readFileSync } from 'node:fs';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { Secret } from '@baton/shared/config';
import { ConfigError, errorText } from '@baton/shared/errors';
import { type ProxySettings, readExceptions } from './proxy.ts';

/** What lies between this process and GitHub. */
export interface Network {
  proxies: ProxySettings;
  /** The certificates that are trusted; undefined for those that Node trusts by itself. */
  trust?: SecureContext | undefined;
}

/** As a service reads it. Where a variable is set in both cases, the lower one counts, as in curl. */
export interface NetworkSettings {
  httpsProxyUpper?: Secret | undefined;
  httpsProxyLower?: Secret | undefined;
  httpProxyUpper?: Secret | undefined;
  httpProxyLower?: Secret | undefined;
  noProxyUpper?: string | undefined;
  noProxyLower?: string | undefined;
  /** PEM file with certificates to trust besides those of Node and NODE_EXTRA_CA_CERTS. */
  caFile?: string | undefined;
}

export const directNetwork: Network = { proxies: { exceptions: [] } };

/** @throws ConfigError when the file of certificates cannot be used. */
export function loadNetwork({ caFile, ...settings }: NetworkSettings): Network {
  const proxies = {
    https: settings.httpsProxyLower ?? settings.httpsProxyUpper,
    http: settings.httpProxyLower ?? settings.httpProxyUpper,
    exceptions: readExceptions(settings.noProxyLower ?? settings.noProxyUpper ?? ''),
  };
  return caFile === undefined ? { proxies } : { proxies, trust: trustAlso(caFile) };
}

function trustAlso(caFile: string): SecureContext {
  try {
    const own = readFileSync(caFile, 'utf8');
    if (!own.includes('-----BEGIN CERTIFICATE-----'))
      throw new Error('it holds no PEM certificate');
    return createSecureContext({ ca: [...getCACertificates('default'), own] });
  } catch (cause) {
    throw new ConfigError(
      `BATON_CA_FILE ${caFile} cannot be used: ${errorText(cause)}; name a PEM file with certificates`,
      { cause },
    );
  }
}
