import { join } from 'node:path';
import { z } from 'zod';
import { Child, firstLine } from './child-process.ts';
import { baseEnv, root, simToken } from './stack-files.ts';
import type { StackOptions } from './stack-options.ts';

export interface SimulatorProcess {
  child: Child;
  url: string;
}

const readySchema = z.looseObject({ event: z.literal('ready'), url: z.string() });

/** Starts the simulated GitHub and waits until it is ready; rejects when it ends before. */
export async function startSimulatorProcess(
  dir: string,
  args: readonly string[],
  { env, hurry }: Pick<StackOptions, 'env' | 'hurry'>,
): Promise<SimulatorProcess> {
  const main = join(root, 'packages/github-sim/src/main.ts');
  const ready = firstLine((line) =>
    line.startsWith('{') ? readySchema.safeParse(JSON.parse(line)).data?.url : undefined,
  );
  const child = new Child({
    name: 'simulator',
    command: [process.execPath, main, 'serve', '--port', '0', '--token', simToken, ...args],
    env: baseEnv(env),
    logFile: join(dir, 'logs', 'simulator.log'),
    onLine: ready.onLine,
    hurry,
  });
  return { child, url: await ready.foundIn(child) };
}
