import { errorText } from '@baton/shared/errors';
import { simProgram } from './cli/program.ts';

const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stop.abort());

simProgram({ print: (line) => console.log(line), signal: stop.signal })
  .parseAsync()
  .catch((error: unknown) => {
    console.error(`github-sim: ${errorText(error)}`);
    process.exitCode = 1;
  });
