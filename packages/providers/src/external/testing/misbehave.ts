import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * A provider executable that does what its configuration file says for each command, in ways that a real
 * one might: { "<command>": { stdout?, stderr?, exitCode?, act? } }. It writes down how it was called.
 */
interface Behaviour {
  stdout?: string;
  stderr?: string;
  exitCode?: number;
  act?:
    | 'hang'
    | 'hang-with-grandchild'
    | 'leave-grandchild'
    | 'flood-stdout'
    | 'flood-stderr'
    | 'die';
}

const { env } = process;
const file = env.GARM_PROVIDER_CONFIG_FILE ?? '';
const behaviours = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Behaviour>;
const { stdout = '', stderr = '', exitCode = 0, act } = behaviours[env.GARM_COMMAND ?? ''] ?? {};
const grandchild = act === 'leave-grandchild' || act === 'hang-with-grandchild' ? keepStdout() : 0;
const stdin = readFileSync(0, 'utf8');
writeFileSync(
  `${file}.${env.GARM_COMMAND}`,
  JSON.stringify({ env, stdin, pid: process.pid, grandchild }),
);
process.stdout.write(stdout);
process.stderr.write(stderr);
if (act === 'hang' || act === 'hang-with-grandchild') setInterval(() => undefined, 60_000);
else if (act === 'flood-stdout') flood(process.stdout);
else if (act === 'flood-stderr') flood(process.stderr);
else if (act === 'die') process.kill(process.pid, 'SIGKILL');
else process.exitCode = exitCode;

/** A process of the same group that keeps the pipe open; it ends by itself when nobody kills it. */
function keepStdout(): number {
  const child = spawn('sleep', ['30'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { PATH: '/usr/bin:/bin' },
  });
  child.unref();
  return child.pid ?? 0;
}

function flood(stream: NodeJS.WriteStream): void {
  const more = () => {
    while (stream.write('x'.repeat(65_536)));
    stream.once('drain', more);
  };
  more();
}
