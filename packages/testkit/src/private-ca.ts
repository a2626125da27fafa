import { webcrypto } from 'node:crypto';
import type { X509Certificate } from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 86_400_000;

interface LeafOptions {
  /** Host names that the certificate is for. */
  hosts: readonly string[];
  /** Days from now until its end; negative for one that has expired. Default 1. */
  endsInDays?: number;
  /** Leaves out the certificate in between, as a server does that is set up wrongly. */
  incomplete?: boolean;
}

/** A private authority: a root, and an intermediate that signs the certificates of servers. */
export interface PrivateCa {
  /** PEM of the root: what a client is to trust. */
  readonly root: string;
  /** A certificate with its key, as a server takes them. */
  issue(options: LeafOptions): Promise<{ cert: string; key: string }>;
}

/** Loaded when it is needed: most tests need no certificate, and it takes its time. */
async function loadLibrary() {
  await import('reflect-metadata');
  return await import('@peculiar/x509');
}

/** Makes keys and certificates anew: nothing of it is worth keeping. */
export async function makePrivateCa(): Promise<PrivateCa> {
  const root = await certify({ name: 'CN=Test Root', ca: true });
  const between = await certify({ name: 'CN=Test Intermediate', ca: true, by: root });
  return {
    root: root.certificate.toString('pem'),
    async issue({ hosts, endsInDays = 1, incomplete = false }) {
      const endsAt = Date.now() + endsInDays * dayMs;
      const leaf = await certify({ name: `CN=${hosts[0]}`, ca: false, by: between, hosts, endsAt });
      const chain = incomplete ? [leaf.certificate] : [leaf.certificate, between.certificate];
      return {
        cert: chain.map((certificate) => certificate.toString('pem')).join('\n'),
        key: await privateKeyPem(leaf.keys),
      };
    },
  };
}

interface Certified {
  name: string;
  keys: webcrypto.CryptoKeyPair;
  certificate: X509Certificate;
}

interface Request {
  name: string;
  ca: boolean;
  /** Who signs; itself when absent. */
  by?: Certified;
  hosts?: readonly string[];
  endsAt?: number;
}

async function certify({ name, ca, by, hosts = [], endsAt }: Request): Promise<Certified> {
  const x509 = await loadLibrary();
  x509.cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const names = hosts.map((value) => ({ type: 'dns' as const, value }));
  const certificate = await x509.X509CertificateGenerator.create({
    subject: name,
    issuer: by?.name ?? name,
    notBefore: new Date(Date.now() - 30 * dayMs),
    notAfter: new Date(endsAt ?? Date.now() + 30 * dayMs),
    publicKey: keys.publicKey,
    signingKey: by?.keys.privateKey ?? keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(ca, undefined, true),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ],
  });
  return { name, keys, certificate };
}

async function privateKeyPem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
}
