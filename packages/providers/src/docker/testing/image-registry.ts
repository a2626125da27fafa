import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

/**
 * How a repository is served, by the first part of its name: `public`; `denied`, for nobody; `busy`,
 * too many requests; `broken`, 500; `slow`, some 8 MB a second; `stalled`, without an end.
 */
const manners = ['public', 'denied', 'busy', 'broken', 'slow', 'stalled'] as const;
type Manner = (typeof manners)[number];

export const login = { username: 'robot', password: 'correct horse' };
const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';

interface Blob {
  digest: string;
  bytes: Buffer;
  type: string;
}

interface Image {
  manifest: Blob;
  blobs: ReadonlyMap<string, Blob>;
}

/** The folder's files as an image of two layers; the second holds 24 MB of noise. */
export async function makeImage(folder: string, scratch: string): Promise<Image> {
  await writeFile(join(scratch, 'noise'), randomBytes(24 * 2 ** 20));
  const layers = [await layerOf(folder, '.'), await layerOf(scratch, 'noise')];
  const config = blobOf(
    'application/vnd.docker.container.image.v1+json',
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    }),
  );
  const blobs = layers.map(({ blob }) => blob);
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: entryOf(config),
    layers: blobs.map(entryOf),
  };
  return {
    manifest: blobOf(manifestType, JSON.stringify(manifest)),
    blobs: new Map([config, ...blobs].map((blob) => [blob.digest, blob])),
  };
}

/** A registry on loopback that serves one image, under any repository, with the tag `1`. */
export class ImageRegistry implements AsyncDisposable {
  /** As in `127.0.0.1:5000`. */
  readonly host: string;
  /** Every call, as in `GET /v2/public/obey/manifests/1`. */
  readonly calls: string[] = [];
  /** How many answers were broken off by the engine. */
  brokenOff = 0;
  readonly #server: Server;
  readonly #image: Image;
  readonly #needsLogin: boolean;

  private constructor(server: Server, image: Image, needsLogin: boolean) {
    this.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#server = server;
    this.#image = image;
    this.#needsLogin = needsLogin;
    server.on('request', (call: IncomingMessage, answer: ServerResponse) => {
      this.calls.push(`${call.method} ${call.url}`);
      answer.on('close', () => {
        if (!answer.writableFinished) this.brokenOff += 1;
      });
      void this.#serve(call, answer).catch(() => answer.destroy());
    });
  }

  static async start(image: Image, { needsLogin = false } = {}): Promise<ImageRegistry> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ImageRegistry(server, image, needsLogin);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close').catch(() => undefined);
  }

  async #serve({ method = '', url = '', headers }: IncomingMessage, answer: ServerResponse) {
    if (method !== 'GET' && method !== 'HEAD') return refuse(answer, 405, 'UNSUPPORTED');
    if (this.#needsLogin && !isLoggedIn(headers.authorization)) {
      answer.setHeader('www-authenticate', 'Basic realm="test"');
      return refuse(answer, 401, 'UNAUTHORIZED');
    }
    if (url === '/v2/') return void answer.end('{}');
    const [, name = '', kind, reference = ''] =
      /^\/v2\/([a-z0-9/_-]+)\/(manifests|blobs)\/([^/?]+)$/.exec(url) ?? [];
    const manner = manners.find((one) => name.startsWith(`${one}/`));
    if (manner === undefined) return refuse(answer, 404, 'NAME_UNKNOWN');
    const refusal = refusals[manner];
    if (refusal) return refuse(answer, ...refusal);
    const found = kind === 'blobs' ? this.#image.blobs.get(reference) : this.#manifest(reference);
    if (found) await send(answer, found, method === 'HEAD' ? 'head' : manner);
    else refuse(answer, 404, kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN');
  }

  #manifest(reference: string): Blob | undefined {
    const { manifest } = this.#image;
    return reference === '1' || reference === manifest.digest ? manifest : undefined;
  }
}

const refusals: Partial<Record<Manner, [status: number, code: string]>> = {
  denied: [403, 'DENIED'],
  busy: [429, 'TOOMANYREQUESTS'],
  broken: [500, 'UNKNOWN'],
};

function isLoggedIn(authorization: string | undefined): boolean {
  const { username, password } = login;
  return authorization === `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function refuse(answer: ServerResponse, status: number, code: string): void {
  const message = code.toLowerCase().replaceAll('_', ' ');
  answer.writeHead(status, { 'content-type': 'application/json' });
  answer.end(JSON.stringify({ errors: [{ code, message }] }));
}

async function send(
  answer: ServerResponse,
  { digest, bytes, type }: Blob,
  manner: Manner | 'head',
): Promise<void> {
  answer.writeHead(200, {
    'content-type': type,
    'content-length': bytes.length,
    'docker-content-digest': digest,
  });
  const isSmall = bytes.length < 2 ** 20;
  if (manner === 'head') answer.end();
  else if (isSmall || manner === 'public') answer.end(bytes);
  else {
    const piece = 2 ** 20;
    for (let at = 0; at < bytes.length && !answer.destroyed; at += piece) {
      answer.write(bytes.subarray(at, at + piece));
      // Half of it, and then nothing.
      if (manner === 'stalled' && at > bytes.length / 2) return;
      await delay(125);
    }
    answer.end();
  }
}

function blobOf(type: string, content: Buffer | string): Blob {
  const bytes = Buffer.from(content);
  return { type, bytes, digest: digestOf(bytes) };
}

function entryOf({ type, bytes, digest }: Blob) {
  return { mediaType: type, size: bytes.length, digest };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function layerOf(folder: string, name: string): Promise<{ diffId: string; blob: Blob }> {
  const { stdout: tar } = await promisify(execFile)('tar', ['-C', folder, '-c', name], {
    encoding: 'buffer',
    maxBuffer: 2 ** 30,
  });
  const type = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
  return { diffId: digestOf(tar), blob: blobOf(type, gzipSync(tar, { level: 1 })) };
}
