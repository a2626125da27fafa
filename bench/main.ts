import { inspect } from 'node:util';
import { exitCodes } from '@baton/shared/lifecycle';
import { systemClock } from '@baton/shared/time';
import { runBench } from './program.ts';

const { argv, env, stdout, stderr } = process;
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));
}

void runBench(argv.slice(2), {
  env,
  stdout,
  stderr,
  clock: systemClock,
  random: Math.random,
  signal: stop.signal,
}).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    stderr.write(`${inspect(error)}\n`);
    process.exitCode = exitCodes.failed;
  },
);
