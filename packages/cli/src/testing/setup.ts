import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Nats } from '@baton/shared/messaging';
import { systemClock } from '@baton/shared/time';
import { findNatsServer, startNatsServer } from '@baton/stack';
import { runBaton } from '../program.ts';
import { type Stores, withNats, withStores } from '../stores.ts';
import { at, id } from './builders.ts';

interface RunOptions {
  env?: Record<string, string>;
  ask?: (question: string) => Promise<string>;
  /** How far the clock of the command's machine is ahead. */
  clockAheadMs?: number;
}

/** What one command line gave. */
interface Result {
  code: number;
  stdout: string;
  stderr: string;
  /** What was printed, read as JSON. */
  json(): unknown;
}

type Baton = (args: string, options?: RunOptions) => Promise<Result>;

export const requiredEnv = { BATON_INSTALLATION_ID: 'test', BATON_NATS_PASSWORD: 'secret' };

/** Runs a command line in this process; words are split at spaces. */
export async function baton(
  args: string,
  { env = {}, ask, clockAheadMs = 0 }: RunOptions = {},
): Promise<Result> {
  const text = { stdout: '', stderr: '' };
  const into = (name: 'stdout' | 'stderr') => ({
    write: (written: string) => {
      text[name] += written;
    },
  });
  const code = await runBaton(args.split(' '), {
    env: { ...requiredEnv, ...env },
    stdout: into('stdout'),
    stderr: into('stderr'),
    clock: { ...systemClock, now: () => systemClock.now() + clockAheadMs },
    ask,
  });
  return { code, ...text, json: () => JSON.parse(text.stdout) as unknown };
}

/** A nats-server of its own, with ways to run `baton` against it and to play the services. */
export async function startTestNats() {
  const storeDir = await mkdtemp(join(tmpdir(), 'baton-cli-'));
  // biome-ignore lint/style/noProcessEnv: the launcher says here where it found the program
  const bin = await findNatsServer(process.env);
  const server = await startNatsServer({ bin, storeDir });
  const env = { BATON_NATS_URL: server.url };
  const io = {
    env: { ...requiredEnv, ...env },
    stdout: { write: () => undefined },
    stderr: { write: () => undefined },
    clock: systemClock,
  };
  const run: Baton = async (args, options = {}) =>
    await baton(args, { ...options, env: { ...env, ...options.env } });
  return {
    env,
    run,
    storeDir,
    /** Works on the buckets as a service would. */
    asService: async <T>(work: (stores: Stores) => Promise<T>) => await withStores(io, work),
    withNats: async <T>(work: (nats: Nats) => Promise<T>) => await withNats(io, work),
    /** The spec of the scale set `linux`. */
    readSpec: async () => await withStores(io, async ({ specs }) => await specs.get(id)),
    /** Plays the listener that has drained `linux`, closed its session and forgotten it. */
    reportDeleted: async () => await withStores(io, reportDeleted),
    /** Writes a file and returns its path. */
    file: async (content: string) => {
      const path = join(storeDir, `file-${Math.random().toString(36).slice(2)}.yaml`);
      await writeFile(path, content);
      return path;
    },
    stop: async () => {
      await server.stop();
      await rm(storeDir, { recursive: true, force: true });
    },
  };
}

async function reportDeleted({ statuses, sessions }: Stores): Promise<void> {
  const record = await sessions.get(id);
  if (record) {
    const { session: _closed, ...rest } = record.value;
    await sessions.update(id, rest, record.revision);
  }
  const said = { v: 1 as const, scaleSetId: id, owner: 'l-0', epoch: 5, since: at };
  await statuses.put(id, { ...said, state: 'deleted' });
}
