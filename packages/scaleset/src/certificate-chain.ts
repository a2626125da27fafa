import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { Network } from './network.ts';
import { openSocket } from './open-socket.ts';

/** One certificate that a server presented. */
export interface ShownCertificate {
  subject: string;
  issuer: string;
  /** ISO 8601. */
  validTo: string;
  /** Host names that it is for; of the first one only. */
  names?: string | undefined;
}

const longestChain = 8;

/**
 * The certificates that a server presents, the server's own first, whether they are trusted or not.
 * For showing only: nothing is sent over this connection, and it is closed at once.
 */
export async function readCertificateChain(
  url: URL,
  network: Network,
  signal: AbortSignal,
): Promise<ShownCertificate[]> {
  const socket = await openSocket(url, network, signal);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const tls = connect({
    socket,
    // What is not trusted is what is looked at here. No request follows.
    rejectUnauthorized: false,
    ...(isIP(host) ? {} : { servername: host }),
    ...(network.trust === undefined ? {} : { secureContext: network.trust }),
  });
  try {
    await once(tls, 'secureConnect', { signal });
    return presented(tls);
  } finally {
    tls.destroy();
    socket.destroy();
  }
}

/** "CN=github.example (issued by CN=Example CA)", one after the other. */
export function shownChain(chain: readonly ShownCertificate[]): string {
  return chain.map(({ subject, issuer }) => `${subject} (issued by ${issuer})`).join(' <- ');
}

function presented(tls: TLSSocket): ShownCertificate[] {
  const chain: ShownCertificate[] = [];
  let certificate: X509Certificate | undefined = tls.getPeerX509Certificate();
  while (certificate && chain.length < longestChain) {
    const { subject, issuer, validTo, subjectAltName } = certificate;
    const names = chain.length === 0 ? subjectAltName : undefined;
    chain.push({
      subject: oneLine(subject),
      issuer: oneLine(issuer),
      validTo: new Date(validTo).toISOString(),
      names,
    });
    if (subject === issuer) break;
    certificate = certificate.issuerCertificate;
  }
  return chain;
}

function oneLine(name: string): string {
  return name.split('\n').join(', ');
}
