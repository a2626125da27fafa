#!/usr/bin/env node
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { systemClock } from '@baton/shared/time';
import { runBaton } from './program.ts';

const { argv, env, stdin, stdout, stderr } = process;

/** Ctrl-C and the end of the input are an empty answer. */
async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: stdin, output: stderr });
  const closed = once(terminal, 'close').then(() => '');
  try {
    return await Promise.race([terminal.question(question), closed]);
  } catch {
    return '';
  } finally {
    terminal.close();
  }
}

// `baton get runners | head` ends the reader first: nothing is wrong then.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

void runBaton(argv.slice(2), {
  env,
  stdout,
  stderr,
  clock: systemClock,
  ask: stdin.isTTY ? ask : undefined,
}).then((code) => {
  process.exitCode = code;
});
