import { readCertificateChain, type ShownCertificate, shownChain } from './certificate-chain.ts';
import type { Network } from './network.ts';
import { proxyFor, shownProxy } from './proxy.ts';

interface Circumstances {
  url: URL;
  network: Network;
  signal: AbortSignal;
}

/**
 * Why a connection to GitHub could not be made and what to do about it, when it was the proxy, a
 * certificate, or nobody there; undefined for other failures. For a certificate that is not trusted it looks at the
 * chain that the server presents, on a connection of its own.
 */
export async function explainConnectFailure(
  error: unknown,
  circumstances: Circumstances,
): Promise<string | undefined> {
  const { url, network, signal } = circumstances;
  const byProxy = explainProxyFailure(error, url, network);
  if (byProxy !== undefined) return byProxy;
  const code = codesOf(error).find((known) => known in certificateProblems);
  if (code === undefined) return explainUnreachable(error, url);
  const chain = await readCertificateChain(url, network, signal).catch(() => []);
  return certificateProblem(code, url, chain);
}

function explainProxyFailure(error: unknown, url: URL, { proxies }: Network): string | undefined {
  const proxy = proxyFor(url, proxies);
  if (!proxy) return undefined;
  const text = textsOf(error).join(' ');
  const variable = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const status =
    /Proxy response \((\d+)\)/.exec(text)?.[1] ?? (text.includes('(407)') ? '407' : undefined);
  const shown = shownProxy(proxy);
  if (status === '407') {
    return `the proxy ${shown} wants a login (HTTP 407): set the right user and password in ${variable}`;
  }
  if (status !== undefined) {
    return `the proxy ${shown} refused to connect to ${url.host} (HTTP ${status}): allow it there, or add the host to NO_PROXY`;
  }
  const unreachable = codesOf(error).find((code) => unreachableCodes.has(code));
  return unreachable === undefined
    ? undefined
    : `the proxy ${shown} cannot be reached (${unreachable}): start it, or change ${variable}`;
}

function explainUnreachable(error: unknown, { host }: URL): string | undefined {
  const code = codesOf(error).find((known) => unreachableCodes.has(known));
  if (code === undefined) return undefined;
  return code === 'ENOTFOUND' || code === 'EAI_AGAIN'
    ? `the name ${host} cannot be resolved (${code}): check the name server of this machine, set HTTPS_PROXY, or correct the host in the scale set's configUrl`
    : `${host} cannot be reached (${code}): check the network and the firewall of this machine, or set HTTPS_PROXY`;
}

const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

type Problem = 'unknown-issuer' | 'incomplete' | 'name' | 'expired' | 'not-yet';

const certificateProblems: Readonly<Record<string, Problem>> = {
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-issuer',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'unknown-issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-issuer',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-issuer',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'incomplete',
  ERR_TLS_CERT_ALTNAME_INVALID: 'name',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet',
};

/** Pure. */
function certificateProblem(
  code: string,
  { host }: URL,
  chain: readonly ShownCertificate[],
): string | undefined {
  const shown = chain.length === 0 ? 'it could not be read' : shownChain(chain);
  const [leaf] = chain;
  switch (certificateProblems[code]) {
    case 'unknown-issuer':
      return `the certificate of ${host} comes from an authority that is not trusted (chain: ${shown}): set BATON_CA_FILE to a PEM file with the certificate of ${chain.at(-1)?.issuer ?? 'that authority'}`;
    case 'incomplete':
      return `${host} presents its certificate without those in between, or its authority is not trusted (chain: ${shown}): have the server send the whole chain, or put the certificate of ${leaf?.issuer ?? 'its issuer'} and of its root into BATON_CA_FILE`;
    case 'name':
      return `the certificate of ${host} is for other host names (${leaf?.names ?? 'none'}): correct the host in the scale set's configUrl, or the certificate`;
    case 'expired':
      return `a certificate of ${host} has expired (chain: ${shown}; the first one ended ${leaf?.validTo ?? 'at an unknown time'}): renew it there, or correct the clock of this machine`;
    case 'not-yet':
      return `a certificate of ${host} is not valid yet (chain: ${shown}): correct the clock of this machine`;
    default:
      return undefined;
  }
}

/** The codes of an error and of what caused it. */
function codesOf(error: unknown): string[] {
  return chainOf(error).flatMap((one) =>
    'code' in one && typeof one.code === 'string' ? [one.code] : [],
  );
}

function textsOf(error: unknown): string[] {
  return chainOf(error).map(({ message }) => message);
}

function chainOf(error: unknown): Error[] {
  const chain: Error[] = [];
  let next = error;
  while (next instanceof Error && chain.length < 10) {
    chain.push(next);
    next = next.cause ?? (next instanceof AggregateError ? next.errors[0] : undefined);
  }
  return chain;
}
