import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const times = { fromMs: z.number(), toMs: z.number() };
const sightSchema = z.discriminatedUnion('kind', [
  /** Next to nothing was to be done, and took so long. */
  z.object({ kind: z.literal('standstill'), ...times }),
  /** Work took so many times as long as the CPU was had for it. */
  z.object({ kind: z.literal('work'), ...times, stretch: z.number() }),
]);
/** What a process beside the system saw of the machine. Wall clock, ms. */
export type Sight = z.infer<typeof sightSchema>;

interface Witness extends AsyncDisposable {
  readonly sights: readonly Sight[];
}

const program = fileURLToPath(new URL('./witness-process.ts', import.meta.url));

/** A process beside the system, which tells what the machine takes from everybody. It uses 3 % of a core. */
export function startWitness(simulatorUrl: string): Witness {
  const sights: Sight[] = [];
  const child = fork(program, [simulatorUrl], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.on('message', (message) => void sights.push(sightSchema.parse(message)));
  const ended = once(child, 'exit');
  return {
    sights,
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
