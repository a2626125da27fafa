import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { environment } from './environment.mjs';

/** Runs the program in our place: its terminal, its output alone on stdout, our signals, its exit code (128 + n for a signal). */
export async function runToTheEnd({ node, natsServer, argv, cwd }) {
  const child = spawn(node, argv, {
    cwd,
    env: environment({ node, natsServer }),
    stdio: 'inherit',
  });
  const forward = (signal) => child.kill(signal);
  // A terminal sends Ctrl-C to the whole group: the child has it already, we only stay.
  process.on('SIGINT', hasTerminal() ? () => undefined : forward);
  process.on('SIGTERM', forward);
  process.on('SIGHUP', forward);
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      resolve(signal ? 128 + constants.signals[signal] : code);
    });
  });
}

function hasTerminal() {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
