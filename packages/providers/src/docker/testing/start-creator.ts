import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./create-one.ts', import.meta.url));

/** A process of its own that creates `runner-1` on the engine at the socket. */
export function startCreator(
  socket: string,
  settings: object = {},
  definitionChanges: object = {},
): ChildProcess {
  const args = [settings, definitionChanges].map((value) => JSON.stringify(value));
  const stdio = ['ignore', 'ignore', 'inherit'] as const;
  return spawn(process.execPath, [script, socket, ...args], { stdio: [...stdio] });
}
