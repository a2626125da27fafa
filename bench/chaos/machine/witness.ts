import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** A time in which a process that had next to nothing to do got no further. Wall clock, ms. */
const standstillSchema = z.object({ fromMs: z.number(), toMs: z.number() });
export type Standstill = z.infer<typeof standstillSchema>;

interface Witness extends AsyncDisposable {
  readonly standstills: readonly Standstill[];
}

const program = fileURLToPath(new URL('./witness-process.ts', import.meta.url));

/**
 * A process beside the system, which only rests and asks the simulator for nothing, ten times a second. How
 * much longer that takes than it should is what the machine takes from everybody.
 */
export function startWitness(simulatorUrl: string): Witness {
  const standstills: Standstill[] = [];
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
  const child = fork(program, [simulatorUrl], { stdio: [...stdio] });
  child.on('message', (message) => void standstills.push(standstillSchema.parse(message)));
  const ended = once(child, 'exit');
  return {
    standstills,
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
