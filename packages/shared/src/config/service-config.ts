import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import { installationIdSchema, tokenSchema } from '../contracts/index.ts';
import { logComponents, logLevels, parseLogSetting } from '../telemetry/index.ts';
import { milliseconds, secretSchema, wholeNumber } from './load-config.ts';
import { Secret } from './secret.ts';
import { telemetryVariables } from './telemetry-config.ts';

/** How to reach NATS; shared by services and CLI. */
export const natsVariables = {
  natsUrl: {
    variable: 'BATON_NATS_URL',
    schema: z
      .string()
      .min(1)
      .default('nats://127.0.0.1:4222')
      // It is shown to people; the login is read from variables of its own.
      .transform((url) => url.replace(/\/\/[^/]*@/g, '//'))
      .describe('where NATS is'),
  },
  natsUser: {
    variable: 'BATON_NATS_USER',
    schema: z.string().min(1).describe('NATS user of this service, see infra/nats'),
  },
  natsPassword: {
    variable: 'BATON_NATS_PASSWORD',
    schema: secretSchema.describe('password of that user'),
  },
  natsConnectTimeoutMs: {
    variable: 'BATON_NATS_CONNECT_TIMEOUT_MS',
    schema: milliseconds(30_000, 0).describe('how long the first connection may take, ms'),
  },
  installationId: {
    variable: 'BATON_INSTALLATION_ID',
    schema: installationIdSchema.describe(
      'name of this installation of Baton, part of every runner name: a-z and 0-9, at most 12',
    ),
  },
};

/** An environment often names the proxy by host and port alone. */
const proxySchema = z
  .string()
  .transform((text) => (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`))
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), {
    error: 'is no http:// or https:// URL',
  })
  .transform((text) => new Secret(text))
  .optional();
const exceptionsSchema = z.string().optional();

/** Read here as well as where it is used, so that its problem is told together with all others. */
const caFileSchema = z.string().superRefine((path, context) => {
  const problem = problemOfCertificates(path);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

function problemOfCertificates(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    if (!text.includes('-----BEGIN CERTIFICATE-----')) return 'names a file without a certificate';
    createSecureContext({ ca: text });
    return undefined;
  } catch (error) {
    // Its message holds the path.
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return `names a file that cannot be used (${typeof code === 'string' ? code : 'unreadable'})`;
  }
}

/** What lies between a service and GitHub. The names are those that other programs know. */
const networkVariables = {
  httpsProxyUpper: { variable: 'HTTPS_PROXY', schema: proxySchema },
  httpsProxyLower: { variable: 'https_proxy', schema: proxySchema },
  httpProxyUpper: { variable: 'HTTP_PROXY', schema: proxySchema },
  httpProxyLower: { variable: 'http_proxy', schema: proxySchema },
  noProxyUpper: { variable: 'NO_PROXY', schema: exceptionsSchema },
  noProxyLower: { variable: 'no_proxy', schema: exceptionsSchema },
  caFile: {
    variable: 'BATON_CA_FILE',
    schema: caFileSchema
      .optional()
      .describe('PEM file with certificates to trust besides those of Node'),
  },
};

const logSettingSchema = z
  .string()
  .default('info')
  .transform((text, context) => {
    const setting = parseLogSetting(text);
    if (setting) return setting;
    const message = `is not like "info" or "info,poll=debug"; levels: ${logLevels.join(', ')}; components: ${logComponents.join(', ')}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** Variables that every service has. */
export const serviceVariables = {
  ...natsVariables,
  ...networkVariables,
  ...telemetryVariables,
  credentialsFile: {
    variable: 'BATON_CREDENTIALS_FILE',
    schema: z.string().min(1).describe('YAML file with the GitHub credentials, by name'),
  },
  instance: {
    variable: 'BATON_INSTANCE',
    schema: tokenSchema
      .default(defaultInstance())
      .describe('name of this process that stays the same over its restarts'),
  },
  logLevel: {
    variable: 'BATON_LOG_LEVEL',
    schema: logSettingSchema,
  },
  logPretty: {
    variable: 'BATON_LOG_PRETTY',
    schema: z.stringbool().optional().describe('readable log lines; without it, on a terminal'),
  },
  healthHost: { variable: 'BATON_HEALTH_HOST', schema: z.string().default('0.0.0.0') },
  healthPort: {
    variable: 'BATON_HEALTH_PORT',
    schema: wholeNumber({ default: 8_080, min: 0, max: 65_535 }),
  },
  drainTimeoutMs: {
    variable: 'BATON_DRAIN_TIMEOUT_MS',
    schema: milliseconds(20_000, 1_000).describe('time to finish after SIGTERM, ms'),
  },
};

/** Variables of the services that create or delete instances. */
export const providerVariables = {
  providersFile: {
    variable: 'BATON_PROVIDERS_FILE',
    schema: z.string().min(1).describe('YAML file with the compute providers, by name'),
  },
};

function defaultInstance(): string {
  return hostname()
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '-')
    .slice(0, 63);
}
