import type { Clock } from '@baton/shared/time';
import { toProviderError } from '../process/errno.ts';
import { type Command, commandEnvironment, inheritedEnvironment } from './command.ts';
import type { ExternalDefinition } from './definition.ts';
import { exitCodes, failureOf, isDuplicate } from './failures.ts';
import { controllerIdOf, poolIdOf } from './identity.ts';
import {
  isNamed,
  type ProviderInstance,
  readInstance,
  readInstances,
} from './provider-instance.ts';
import { type Ended, runExecutable } from './run-executable.ts';
import { Slots } from './slots.ts';

interface CommandsOptions {
  definition: ExternalDefinition;
  installationId: string;
  clock: Clock;
  env: Readonly<Record<string, string | undefined>>;
}

/** The scale set that a command is about, as the protocol knows it. */
export interface Pool {
  scaleSetId: string;
  extraSpecs: unknown;
}

/**
 * The commands of the protocol, each a run of the executable. Creates and the others wait for places of
 * their own, so that slow creates hold up no delete.
 */
export class PoolCommands {
  readonly #options: CommandsOptions;
  readonly #inherited: Record<string, string>;
  readonly #controllerId: string;
  readonly #creates: Slots;
  readonly #others: Slots;

  constructor(options: CommandsOptions) {
    const { definition, env, installationId } = options;
    this.#options = options;
    this.#inherited = inheritedEnvironment(env, definition.environmentVariables);
    this.#controllerId = controllerIdOf(installationId);
    this.#creates = new Slots(definition.concurrency);
    this.#others = new Slots(definition.concurrency);
  }

  poolId({ scaleSetId }: Pool): string {
    return poolIdOf(this.#options.installationId, scaleSetId);
  }

  /** The instance that was made; `duplicate` when there is one of that name already. */
  async create(
    { pool, input, secrets }: { pool: Pool; input: string; secrets: readonly string[] },
    signal: AbortSignal,
  ): Promise<ProviderInstance | 'duplicate'> {
    const command = { name: 'CreateInstance', ...this.#poolPart(pool), input } as const;
    const ended = await this.#run(command, signal);
    if (ended.exitCode === exitCodes.ok) return readInstance(command.name, ended.stdout);
    if (isDuplicate(ended)) return 'duplicate';
    throw this.#failure(command, ended, secrets);
  }

  /**
   * The instance of that name; undefined when there is none. Some providers have no exit code for that, and
   * a cloud that is away says the same: where it does not say which, the list decides.
   */
  async find(name: string, pool: Pool, signal: AbortSignal): Promise<ProviderInstance | undefined> {
    const command = { name: 'GetInstance', instance: name, ...this.#poolPart(pool) } as const;
    const ended = await this.#run(command, signal);
    if (ended.exitCode === undefined) throw this.#failure(command, ended);
    if (ended.exitCode === exitCodes.ok) return readInstance(command.name, ended.stdout);
    if (ended.exitCode === exitCodes.notFound) return undefined;
    return (await this.list(pool, signal)).find((found) => isNamed(found, name));
  }

  async list(pool: Pool, signal: AbortSignal): Promise<ProviderInstance[]> {
    const command = { name: 'ListInstances', ...this.#poolPart(pool) } as const;
    const ended = await this.#run(command, signal);
    if (ended.exitCode !== exitCodes.ok) throw this.#failure(command, ended);
    return readInstances(command.name, ended.stdout);
  }

  /** An instance that is not there is deleted. */
  async delete(instance: string, pool: Pool, signal: AbortSignal): Promise<void> {
    const command = { name: 'DeleteInstance', instance, ...this.#poolPart(pool) } as const;
    const ended = await this.#run(command, signal);
    if (ended.exitCode === exitCodes.ok || ended.exitCode === exitCodes.notFound) return;
    throw this.#failure(command, ended);
  }

  #poolPart(pool: Pool) {
    return { poolId: this.poolId(pool), extraSpecs: pool.extraSpecs };
  }

  /** Whatever the executable was allowed to see may be a secret. */
  #failure({ name }: Command, ended: Ended, secrets: readonly string[] = []): Error {
    return failureOf(name, ended, [...secrets, ...Object.values(this.#inherited)]);
  }

  async #run(command: Command, signal: AbortSignal): Promise<Ended> {
    const { definition, clock } = this.#options;
    const { executable, configFile, interfaceVersion } = definition;
    const { execTimeoutMs: timeoutMs, maxOutputBytes } = definition;
    const surroundings = { controllerId: this.#controllerId, configFile, interfaceVersion };
    const env = commandEnvironment(command, { ...surroundings, inherited: this.#inherited });
    const input = 'input' in command ? command.input : '';
    const slots = command.name === 'CreateInstance' ? this.#creates : this.#others;
    try {
      return await slots.use(signal, () =>
        runExecutable({ executable, env, input, timeoutMs, maxOutputBytes, clock }, signal),
      );
    } catch (error) {
      throw toProviderError(`run ${executable} for ${command.name}`, error);
    }
  }
}
