import { readFileSync, readlinkSync } from 'node:fs';
import { z } from 'zod';

/** A call that the protocol does not allow. */
export class ProtocolError extends Error {}

const own = [
  'GARM_COMMAND',
  'GARM_CONTROLLER_ID',
  'GARM_INTERFACE_VERSION',
  'GARM_PROVIDER_CONFIG_FILE',
];
const uuid = z.uuid();
const versionSchema = z.enum(['v0.1.0', 'v0.1.1']);
const configSchema = z.strictObject({
  /** Where instances live. */
  directory: z.string(),
  /** Variables for the machines that instances are. */
  instanceEnv: z.record(z.string(), z.string()).default({}),
  /** What may stand in the environment besides what the protocol names. */
  mayInherit: z.array(z.string()).default([]),
});

/** Which variables each command has, besides those of all commands. */
const variablesOf: Record<string, Record<z.infer<typeof versionSchema>, readonly string[]>> = {
  CreateInstance: {
    'v0.1.0': ['GARM_POOL_ID'],
    'v0.1.1': ['GARM_POOL_ID', 'GARM_POOL_EXTRASPECS'],
  },
  ListInstances: {
    'v0.1.0': ['GARM_POOL_ID'],
    'v0.1.1': ['GARM_POOL_ID', 'GARM_POOL_EXTRASPECS'],
  },
  GetInstance: {
    'v0.1.0': ['GARM_INSTANCE_ID'],
    'v0.1.1': ['GARM_INSTANCE_ID', 'GARM_POOL_ID', 'GARM_POOL_EXTRASPECS'],
  },
  DeleteInstance: {
    'v0.1.0': ['GARM_INSTANCE_ID'],
    'v0.1.1': ['GARM_INSTANCE_ID', 'GARM_POOL_ID', 'GARM_POOL_EXTRASPECS'],
  },
};

export interface CommandInput {
  command: string;
  controllerId: string;
  /** Empty where the command has none. */
  poolId: string;
  instance: string;
  stdin: string;
  config: z.output<typeof configSchema>;
}

/**
 * Reads how this process was called, and insists on every word of the protocol: exactly the variables of
 * the command, no arguments, input for CreateInstance alone, `/` as the working folder.
 * @throws ProtocolError that says what is not as it must be.
 */
export function readCommand(called: NodeJS.Process): CommandInput {
  const { env, argv, pid } = called;
  const command = env.GARM_COMMAND ?? '';
  const version = versionSchema.safeParse(env.GARM_INTERFACE_VERSION);
  if (!version.success) throw new ProtocolError('GARM_INTERFACE_VERSION is no known version');
  const config = readConfig(env.GARM_PROVIDER_CONFIG_FILE ?? '');
  const named = variablesOf[command]?.[version.data];
  if (!named) throw new ProtocolError(`the command ${command} is not known`);
  const expected = [...own, ...named].sort();
  const found = Object.keys(env).filter((name) => !config.mayInherit.includes(name));
  if (String(found.sort()) !== String(expected))
    throw new ProtocolError(`the environment has ${found.join(', ')}, not ${expected.join(', ')}`);
  if (argv.length !== 2) throw new ProtocolError('there are arguments');
  if (called.cwd() !== '/') throw new ProtocolError('the working folder is not /');
  if (groupOf(pid) !== pid) throw new ProtocolError('the process does not lead a group of its own');
  const stdin = readStdin();
  if ((stdin === '') !== (command !== 'CreateInstance'))
    throw new ProtocolError('input is for CreateInstance, and for it alone');
  requireIds(env, named);
  const { GARM_CONTROLLER_ID: controllerId = '', GARM_POOL_ID: poolId = '' } = env;
  return { command, controllerId, poolId, instance: env.GARM_INSTANCE_ID ?? '', stdin, config };
}

function requireIds(env: NodeJS.ProcessEnv, named: readonly string[]): void {
  if (!uuid.safeParse(env.GARM_CONTROLLER_ID).success)
    throw new ProtocolError('GARM_CONTROLLER_ID is no UUID');
  const empty = named.find((name) => !env[name]);
  if (empty) throw new ProtocolError(`${empty} is empty`);
  if (env.GARM_POOL_EXTRASPECS) {
    JSON.parse(Buffer.from(env.GARM_POOL_EXTRASPECS, 'base64').toString('utf8'));
  }
}

function readConfig(path: string) {
  return configSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
}

/** A terminal, or an input that nobody closes, is against the protocol: reading it must end. */
function readStdin(): string {
  const kind = readlinkSync('/proc/self/fd/0');
  if (!/^(pipe|socket):/.test(kind)) throw new ProtocolError(`the input is ${kind}, not a pipe`);
  return readFileSync(0, 'utf8');
}

function groupOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
}
