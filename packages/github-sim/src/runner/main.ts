import { readJitConfig } from './jit-config.ts';
import { playRunner } from './play-runner.ts';

let busy = false;
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => process.exit(busy ? 1 : 0));
}

async function main(): Promise<number> {
  const flag = process.argv.indexOf('--jitconfig');
  const encoded = flag < 0 ? process.env.ACTIONS_RUNNER_INPUT_JITCONFIG : process.argv[flag + 1];
  if (!encoded)
    throw new Error('no JIT config: give --jitconfig or ACTIONS_RUNNER_INPUT_JITCONFIG');
  return await playRunner({
    identity: readJitConfig(encoded),
    behaviour: process.env.SIM_RUNNER_BEHAVIOUR,
    say: (text) => console.log(text),
    onBusy: () => {
      busy = true;
    },
  });
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    console.error(`An error occurred: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  },
);
