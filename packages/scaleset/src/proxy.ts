import { BlockList, isIP } from 'node:net';
import type { Secret } from '@baton/shared/config';

/** The proxies of an environment. Each URL may carry a user and a password. */
export interface ProxySettings {
  /** For `https:` URLs. */
  https?: Secret | undefined;
  /** For `http:` URLs. */
  http?: Secret | undefined;
  /** Host names with their subdomains, addresses, networks (`10.0.0.0/8`), or `*`. */
  exceptions: readonly string[];
}

/** The proxy for a URL; undefined when it is reached directly. Pure. */
export function proxyFor(url: URL, settings: ProxySettings): Secret | undefined {
  const proxy = url.protocol === 'https:' ? settings.https : settings.http;
  if (!proxy || settings.exceptions.some((exception) => covers(exception, url))) return undefined;
  return proxy;
}

/** The proxy without its user and password. */
export function shownProxy(proxy: Secret): string {
  const { protocol, host } = new URL(proxy.reveal());
  return `${protocol}//${host}`;
}

/** `NO_PROXY` as a list. */
export function readExceptions(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

function covers(exception: string, url: URL): boolean {
  if (exception === '*') return true;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (exception.includes('/')) return isInNetwork(host, exception);
  const { name, port } = splitPort(exception.toLowerCase());
  if (port !== undefined && port !== (url.port || defaultPort(url))) return false;
  const suffix = name.replace(/^\*?\./, '');
  return host.endsWith(`.${suffix}`) || (host === suffix && !name.startsWith('*'));
}

function splitPort(text: string): { name: string; port: string | undefined } {
  const [, name, port] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(text) ?? [];
  if (isIP(text) || name === undefined) return { name: text, port: undefined };
  return { name, port };
}

function isInNetwork(host: string, network: string): boolean {
  const [address = '', bits] = network.split('/');
  const family = isIP(host);
  if (family === 0 || family !== isIP(address) || !/^\d{1,3}$/.test(bits ?? '')) return false;
  const size = Number(bits);
  if (size > (family === 6 ? 128 : 32)) return false;
  const list = new BlockList();
  const kind = family === 6 ? 'ipv6' : 'ipv4';
  list.addSubnet(address, size, kind);
  return list.check(host, kind);
}

function defaultPort({ protocol }: URL): string {
  return protocol === 'https:' ? '443' : '80';
}
