import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { root } from './paths.mjs';
import { LaunchError } from './say.mjs';

const shownLines = 20;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a step of the preparation without a word. If it fails, its last lines are the error. A
 * signal to us ends the step too, so that nothing goes on in the background.
 */
export async function capture(program, args, { what, env = process.env }) {
  const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => lines.push(text));

  const stoppedBy = [];
  const stop = (signal) => {
    stoppedBy.push(signal);
    child.kill('SIGTERM');
  };
  for (const signal of signals) process.on(signal, stop);
  try {
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const [signal] = stoppedBy;
    if (signal) throw new LaunchError(`${signal} stopped ${what}`, 128 + constants.signals[signal]);
    if (code !== 0) throw new LaunchError(`${what} failed:\n${tail(lines.join(''))}`);
  } catch (error) {
    if (error.code === 'ENOENT')
      throw new LaunchError(`${what} needs ${program}, which is not on the PATH`);
    throw error;
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}

function tail(text) {
  return text.trimEnd().split('\n').slice(-shownLines).join('\n');
}
