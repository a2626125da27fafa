import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { ConfigError } from '@baton/shared/errors';
import type { Logger } from '@baton/shared/telemetry';
import type { BootstrapConfig } from './config.ts';
import {
  type BootstrapCall,
  type BootstrapReply,
  readCall,
  refusal,
  sendReply,
} from './exchange.ts';

type Answer = (call: BootstrapCall) => Promise<BootstrapReply>;
type ServerConfig = Pick<
  BootstrapConfig,
  'bootstrapHost' | 'bootstrapPort' | 'bootstrapCertFile' | 'bootstrapKeyFile'
>;

/** An instance sends little, and at once. Times in ms. */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16 * 1024,
};
const maxConnections = 2_000;

/**
 * Serves instances. Stops listening when it is disposed, and cuts what is still open then: who was not
 * answered asks again, another provisioner.
 * @throws ConfigError when the port is taken, or the certificate cannot be used.
 */
export async function serveBootstrap(
  answer: Answer,
  config: ServerConfig,
  log: Logger,
): Promise<AsyncDisposable & { port: number }> {
  const { bootstrapHost: host, bootstrapPort: wanted } = config;
  const server = await makeServer(config, (request, response) => {
    void readCall(request)
      .then((call) => call && answer(call))
      .then((reply) => sendReply(response, reply ?? tooLarge))
      .catch((err: unknown) => {
        log.warn({ path: request.url?.split('?')[0], err }, 'an instance could not be answered');
        if (response.headersSent) response.destroy();
        else sendReply(response, refusal(503, 'Service Unavailable', 'ask again later'));
      });
  });
  server.maxConnections = maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, host, resolve);
  }).catch((cause: unknown) => {
    throw new ConfigError(
      `the bootstrap port ${host}:${wanted} cannot be opened: stop what uses it, or set BATON_BOOTSTRAP_PORT`,
      { cause },
    );
  });
  const address = server.address();
  const port = address && typeof address === 'object' ? address.port : wanted;
  return { port, [Symbol.asyncDispose]: () => close(server) };
}

const tooLarge = refusal(413, 'Content Too Large', 'a body may have 16 KiB');

async function makeServer(
  { bootstrapCertFile, bootstrapKeyFile }: ServerConfig,
  listener: RequestListener,
): Promise<Server> {
  if (bootstrapCertFile === undefined && bootstrapKeyFile === undefined)
    return createServer(limits, listener);
  if (bootstrapCertFile === undefined || bootstrapKeyFile === undefined)
    throw new ConfigError(
      'BATON_BOOTSTRAP_CERT_FILE and BATON_BOOTSTRAP_KEY_FILE go together: set both or none',
    );
  try {
    const [cert, key] = await Promise.all([
      readFile(bootstrapCertFile),
      readFile(bootstrapKeyFile),
    ]);
    return createTlsServer({ ...limits, cert, key }, listener);
  } catch (cause) {
    throw new ConfigError(
      'the files that BATON_BOOTSTRAP_CERT_FILE and BATON_BOOTSTRAP_KEY_FILE name cannot be used',
      { cause },
    );
  }
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
