import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from './eventually.ts';

interface ProcessOptions {
  args?: readonly string[];
  /** Its whole environment, but for PATH and the compile cache that all share. */
  env?: Record<string, string>;
}

/** A Node process that a test started; killed with `await using` when it has not ended. */
export interface TestProcess extends AsyncDisposable {
  readonly pid: number;
  /** Everything it has printed to stderr, where the logs go. */
  readonly stderr: string;
  signal(name: NodeJS.Signals): void;
  /** Resolves when it has printed a line that contains `text`. */
  said(text: string): Promise<void>;
  /** Its exit code; undefined when a signal ended it. */
  exited(): Promise<number | undefined>;
}

/** Where `enableCompileCache` keeps it by default: a start then costs half. */
const compileCache = join(tmpdir(), 'node-compile-cache');

/** Runs a TypeScript file as a process of its own. */
export function startTestProcess(file: string, options: ProcessOptions = {}): TestProcess {
  const { args = [], env = {} } = options;
  const child = spawn(process.execPath, [file, ...args], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  createInterface({ input: child.stderr }).on('line', (line) => {
    stderr += `${line}\n`;
  });
  const closed = once(child, 'close').then(([code]) =>
    typeof code === 'number' ? code : undefined,
  );
  return {
    pid: child.pid ?? 0,
    get stderr() {
      return stderr;
    },
    signal: (name) => void child.kill(name),
    said: async (text) =>
      await eventually(
        () => {
          if (!stderr.includes(text)) throw new Error(`never said "${text}", but:\n${stderr}`);
        },
        { timeoutMs: 10_000 },
      ),
    exited: () => closed,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
