import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What stands for each secret: found nowhere else, and fit for a URL, a header and base64. */
const known = {
  natsPassword: 'KNOWNnatsKNOWN',
  natsUrlPassword: 'KNOWNurlKNOWN',
  proxyPassword: 'KNOWNproxyKNOWN',
  pat: 'KNOWNpatKNOWN',
  patInFile: 'KNOWNfileKNOWN',
  privateKey: '-----BEGIN RSA PRIVATE KEY-----\nKNOWNkeyKNOWN\n-----END RSA PRIVATE KEY-----',
  otlpHeader: 'KNOWNotlpKNOWN',
};
/** 32 bytes, as a sealing key is. */
const sealingKey = Buffer.from('KNOWNsealingKNOWN'.padEnd(32, '.')).toString('base64');

export const knownSecrets = known;

/** Every known secret that stands in a text: as it is, or as base64. */
export function secretsIn(text: string): string[] {
  const encoded = Object.values(known).map((secret) =>
    Buffer.from(secret).toString('base64').slice(0, 12),
  );
  return [...text.matchAll(/KNOWN\w*/g)]
    .map(([found]) => found)
    .concat([sealingKey, ...encoded].filter((one) => text.includes(one)));
}

/** An environment in which everything that may be secret is set; its files lie in `dir`. */
export function environmentOfSecrets(dir: string): Record<string, string> {
  const file = (name: string, content: string) => {
    const path = join(dir, name);
    writeFileSync(path, content);
    return path;
  };
  const proxy = `http://user:${known.proxyPassword}@127.0.0.1:1`;
  const credentials = [
    'credentials:',
    `  inline: { type: pat, hosts: ["127.0.0.1"], token: "${known.pat}" }`,
    `  file: { type: pat, hosts: ["127.0.0.1"], tokenFile: "${file('pat', known.patInFile)}" }`,
    `  app: { type: app, hosts: ["127.0.0.1"], clientId: a, installationId: 1, privateKeyFile: "${file('key', known.privateKey)}" }`,
  ];
  return {
    BATON_INSTALLATION_ID: 'test',
    BATON_NATS_URL: `nats://user:${known.natsUrlPassword}@127.0.0.1:1`,
    BATON_NATS_USER: 'user',
    BATON_NATS_PASSWORD_FILE: file('nats', known.natsPassword),
    BATON_CREDENTIALS_FILE: file('credentials.yaml', credentials.join('\n')),
    BATON_PROVIDERS_FILE: join(dir, 'providers.yaml'),
    BATON_SEALING_KEY: `one:${sealingKey}`,
    BATON_BOOTSTRAP_KEY_FILE: join(dir, 'key'),
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    HTTP_PROXY: proxy,
    http_proxy: proxy,
    OTEL_EXPORTER_OTLP_CLIENT_KEY: join(dir, 'key'),
    OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: join(dir, 'key'),
    OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY: join(dir, 'key'),
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${known.otlpHeader}`,
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: `authorization=${known.otlpHeader}`,
    OTEL_EXPORTER_OTLP_METRICS_HEADERS: `authorization=${known.otlpHeader}`,
  };
}
