import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ConfigError, errorText } from '@baton/shared/errors';
import { Agent } from 'undici';
import type { EngineAddress } from './engine-address.ts';

/** More calls at once wait for their turn. */
const connections = 128;

/** How to reach an engine, and where. */
export interface EngineConnection {
  agent: Agent;
  origin: string;
}

/**
 * A connection of its own for every call (`pipelining: 0`): an engine that was restarted leaves no
 * dead ones behind, and a local socket costs next to nothing. No time-outs: callers bring signals.
 * @throws ConfigError for a certificate or key that cannot be used.
 */
export function connectEngine(address: EngineAddress): EngineConnection {
  const limits = { connections, pipelining: 0, headersTimeout: 0, bodyTimeout: 0 };
  if ('socket' in address) {
    const agent = new Agent({ ...limits, connect: { socketPath: address.socket } });
    return { agent, origin: 'http://docker' };
  }
  const { url, caFile, certFile, keyFile } = address;
  const tls = { ca: read(caFile), cert: read(certFile), key: read(keyFile) };
  try {
    createSecureContext(tls);
  } catch (error) {
    throw new ConfigError(`the certificates for ${url} cannot be used: ${errorText(error)}`);
  }
  const connect = new URL(url).protocol === 'https:' ? tls : {};
  return { agent: new Agent({ ...limits, connect }), origin: new URL(url).origin };
}

function read(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`the docker provider cannot read ${file}: ${errorText(error)}`);
  }
}
