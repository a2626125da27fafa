import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { exitCodes } from '../failures.ts';
import { type CommandInput, ProtocolError, readCommand } from './command-input.ts';
import { Machine } from './machine.ts';
import { readBootstrap, userDataOf } from './read-bootstrap.ts';

/**
 * A provider executable of GARM's protocol whose instances are processes of this host: for tests, for
 * `npm start -- --provider external`, and to read when one is written. It insists on the protocol.
 */
async function main(): Promise<number> {
  const input = readCommand(process);
  switch (input.command) {
    case 'CreateInstance':
      return await create(input);
    case 'GetInstance':
      return get(input);
    case 'ListInstances':
      return list(input);
    default:
      return await remove(input);
  }
}

async function create(input: CommandInput): Promise<number> {
  const { config, stdin, poolId, controllerId } = input;
  const bootstrap = readBootstrap(stdin);
  if (bootstrap.pool_id !== poolId) throw new ProtocolError('pool_id is not GARM_POOL_ID');
  if (find(input, bootstrap.name)) return exitCodes.duplicate;
  const machine = new Machine(join(config.directory, controllerId, poolId, bootstrap.name));
  await machine.start(userDataOf(bootstrap), config.instanceEnv);
  say(shown(machine));
  return exitCodes.ok;
}

function get(input: CommandInput): number {
  const machine = find(input, input.instance);
  if (!machine) return exitCodes.notFound;
  say(shown(machine));
  return exitCodes.ok;
}

function list({ config, controllerId, poolId }: CommandInput): number {
  say(machinesIn(join(config.directory, controllerId, poolId)).map(shown));
  return exitCodes.ok;
}

async function remove(input: CommandInput): Promise<number> {
  const removed = await find(input, input.instance)?.remove();
  return removed ? exitCodes.ok : exitCodes.notFound;
}

const idPrefix = 'local-';

/** By its id or its name, in whichever pool: some commands do not say. */
function find({ config, controllerId }: CommandInput, instance: string): Machine | undefined {
  const all = join(config.directory, controllerId);
  const machines = namesIn(all).flatMap((pool) => machinesIn(join(all, pool)));
  return machines.find(({ name }) => name === instance || `${idPrefix}${name}` === instance);
}

function machinesIn(folder: string): Machine[] {
  return namesIn(folder)
    .map((name) => new Machine(join(folder, name)))
    .filter(({ exists }) => exists);
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : [];
}

function shown(machine: Machine): Record<string, unknown> {
  const { status, fault } = machine.state;
  return {
    provider_id: `${idPrefix}${machine.name}`,
    name: machine.name,
    os_type: 'linux',
    os_name: 'host',
    os_version: '',
    os_arch: 'amd64',
    addresses: [{ address: '127.0.0.1', type: 'private' }],
    status,
    ...(fault === undefined ? {} : { provider_fault: Buffer.from(fault).toString('base64') }),
  };
}

function say(value: unknown): void {
  process.stdout.write(JSON.stringify(value));
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    const known = error instanceof ProtocolError || error instanceof z.ZodError;
    process.stderr.write(`local provider: ${known ? error.message : String(error)}\n`);
    process.exitCode = known ? 2 : 1;
  },
);
