import { inspect } from 'node:util';
import { exitCodes } from '@baton/shared/lifecycle';
import { systemClock } from '@baton/shared/time';
import { start } from './start/start.ts';

const { argv, env, stdout, stderr } = process;
const stop = new AbortController();
const hurry = new AbortController();

/** One request may come twice: to the group of processes, and passed on by the launcher. In ms. */
const sameRequestMs = 1_000;
let stoppedAt = 0;

/** The first time everything is drained, the second time killed. */
function end(why: string): void {
  if (!stop.signal.aborted) {
    stoppedAt = systemClock.monotonic();
    stop.abort(new Error(why));
  } else if (systemClock.monotonic() - stoppedAt > sameRequestMs) hurry.abort(new Error(why));
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => end(`stopped by ${name}`));
}
// `npm start | head` ends the reader first.
for (const output of [stdout, stderr]) {
  output.on('error', () => {
    if (!stop.signal.aborted) end('nobody reads on');
  });
}
// A bug must not leave processes behind.
process.on('uncaughtException', (error) => {
  stderr.write(`baton: ${inspect(error)}\n`);
  process.exitCode = exitCodes.failed;
  stop.abort(error);
  hurry.abort(error);
});

void start(argv.slice(2), {
  env,
  stdout,
  stderr,
  clock: systemClock,
  random: Math.random,
  stop: stop.signal,
  hurry: hurry.signal,
  atExit: (restore) => process.on('exit', restore),
}).then((exitCode) => {
  process.exitCode ??= exitCode;
});
