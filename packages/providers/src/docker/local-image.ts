import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { EngineAddress } from './engine-address.ts';
import { connectEngine } from './engine-agent.ts';
import { EngineClient } from './engine-client.ts';
import { EngineFailure, toProviderError } from './engine-failure.ts';
import { parseImageReference } from './image-reference.ts';
import { pullLineSchema } from './pull-progress.ts';

/** An image that is made here instead of being pulled. */
interface LocalImage {
  engine: EngineAddress;
  image: string;
}

/**
 * Makes an image from files of this host, with the program `tar`. `files` are its arguments that name
 * them. An image of that name is replaced.
 */
export async function importImage(
  { engine, image }: LocalImage,
  files: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { name, version } = parseImageReference(image);
  const tar = spawn('tar', ['-c', '-f', '-', ...files], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(tar, 'close');
  ended.catch(() => undefined);
  const query = { fromSrc: '-', repo: name, tag: version };
  const call = { method: 'POST', path: '/images/create', query, tar: tar.stdout } as const;
  let complaint = '';
  tar.stderr.on('data', (chunk) => {
    complaint += String(chunk);
  });
  try {
    for await (const line of new EngineClient(connectEngine(engine)).stream(call, signal)) {
      const { error } = pullLineSchema.parse(line);
      if (error !== undefined) throw new EngineFailure(500, error);
    }
  } catch (error) {
    throw toProviderError(`import image ${image}`, error);
  } finally {
    tar.kill();
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`tar ended with ${String(code)}: ${complaint.trim()}`);
}

/** Takes an image away; one that is not there is done. */
export async function removeImage(
  { engine, image }: LocalImage,
  signal: AbortSignal,
): Promise<void> {
  const call = { method: 'DELETE', path: `/images/${image}`, expect: [404] } as const;
  try {
    await new EngineClient(connectEngine(engine)).call(call, signal);
  } catch (error) {
    throw toProviderError(`remove image ${image}`, error);
  }
}
