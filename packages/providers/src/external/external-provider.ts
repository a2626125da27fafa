import { type Clock, isoNow } from '@baton/shared/time';
import type { BootstrapPort } from '../bootstrap-port.ts';
import { unlessAborted } from '../docker/unless-aborted.ts';
import type { ComputeProvider, CreateRequest, Instance } from '../provider.ts';
import type { ScaleSetAtProvider } from '../provider-deps.ts';
import { ProviderError } from '../provider-error.ts';
import { bootstrapInstance, toolFor } from './bootstrap-instance.ts';
import { type ExternalDefinition, externalSettingsSchema } from './definition.ts';
import { wrongAnswer } from './failures.ts';
import { formatInstanceId, parseInstanceId, runnerIdIn } from './identity.ts';
import type { Pool, PoolCommands } from './pool-commands.ts';
import { isNamed, type ProviderInstance, toInstance } from './provider-instance.ts';
import { type InstanceSettings, instanceSettings } from './settings.ts';

interface ExternalProviderOptions {
  definition: ExternalDefinition;
  installationId: string;
  commands: PoolCommands;
  clock: Clock;
  /** The scale sets that may have instances here. */
  scaleSets: (signal: AbortSignal) => Promise<readonly ScaleSetAtProvider[]>;
  /** Absent in services that create nothing. */
  bootstrap: BootstrapPort | undefined;
  /** PEM certificates that instances must trust. */
  caBundle: string | undefined;
}

/** Who lists all the time pauses for ten times as long as a list takes, and then takes another one. */
const listsToWaitFor = 12;
/** Room in the queue for a create, beyond its own time, in ms. */
const queueMs = 30_000;

/**
 * Runners behind a provider executable of GARM, run unmodified. An instance is ours when its name ends in
 * `-<installation>-<runner id>`: that, its scale set and its state are all that the protocol carries. The
 * rest stands in the runner's record, which is the truth.
 */
export class ExternalProvider implements ComputeProvider {
  readonly createTimeoutMs: number;
  readonly listEveryMs: number;
  readonly listTimeoutMs: number;
  readonly #options: ExternalProviderOptions;
  /** When each instance of the last list was first seen, by name. */
  #firstSeen = new Map<string, string>();
  #listedAt = Number.NEGATIVE_INFINITY;
  #listTookMs = 0;
  #creating = 0;
  /** Creates under way, by runner name: a second one waits for the first and finds its instance. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(options: ExternalProviderOptions) {
    this.#options = options;
    this.createTimeoutMs = options.definition.execTimeoutMs + queueMs;
    this.listEveryMs = options.definition.listEveryMs;
    this.listTimeoutMs = options.definition.execTimeoutMs;
  }

  async create(request: CreateRequest, signal: AbortSignal): Promise<{ instanceId: string }> {
    signal.throwIfAborted();
    const settings = this.#validate(request);
    const { runnerName, scaleSetId } = request;
    const before = this.#underWay.get(runnerName) ?? Promise.resolve();
    const mine = before.then(() => this.#createOnce(request, settings, signal));
    const settled = mine
      .catch(() => undefined)
      .then(() => {
        if (this.#underWay.get(runnerName) === settled) this.#underWay.delete(runnerName);
      });
    this.#underWay.set(runnerName, settled);
    const { provider_id: providerId, name } = await unlessAborted(mine, signal);
    if (!this.#firstSeen.has(name)) this.#firstSeen.set(name, isoNow(this.#options.clock));
    return { instanceId: formatInstanceId({ scaleSetId, runnerName, providerId }) };
  }

  /** @throws ProviderError when one scale set cannot be listed: a list is whole, or none. */
  async list(signal: AbortSignal): Promise<Instance[]> {
    signal.throwIfAborted();
    const { scaleSets, commands, clock } = this.#options;
    const startedAt = clock.monotonic();
    const pools = (await scaleSets(signal)).map((each) => this.#poolOf(each));
    const lists = await Promise.all(
      pools.map(async (pool) => ({ pool, found: await commands.list(pool, signal) })),
    );
    signal.throwIfAborted();
    const instances = this.#toInstances(lists);
    this.#firstSeen = new Map(
      instances.map(({ runnerName, createdAt }) => [runnerName, createdAt]),
    );
    this.#listedAt = clock.monotonic();
    this.#listTookMs = this.#listedAt - startedAt;
    return instances;
  }

  async delete(instanceId: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const address = parseInstanceId(instanceId);
    const { installationId, commands, scaleSets } = this.#options;
    if (!address || runnerIdIn(address.runnerName, installationId) === undefined) return;
    const { scaleSetId, runnerName, providerId } = address;
    const known = (await scaleSets(signal)).find(({ id }) => id === scaleSetId);
    const pool = this.#poolOf(known ?? { id: scaleSetId });
    await commands.delete(providerId || runnerName, pool, signal);
    this.#firstSeen.delete(runnerName);
  }

  /** From the last list, when it is not too old, and what this process did since. */
  async capacity(signal: AbortSignal): Promise<{ free: number }> {
    signal.throwIfAborted();
    return { free: Math.max(0, await this.#free(signal)) };
  }

  async #free(signal: AbortSignal): Promise<number> {
    const { clock, definition } = this.#options;
    const goodForMs = definition.listEveryMs + this.#listTookMs * listsToWaitFor;
    if (clock.monotonic() - this.#listedAt > goodForMs) await this.list(signal);
    return definition.maxInstances - this.#firstSeen.size - this.#creating;
  }

  #validate({ runnerId, runnerName, installationId, settings }: CreateRequest): InstanceSettings {
    const { definition, bootstrap, installationId: ours } = this.#options;
    if (installationId !== ours || runnerIdIn(runnerName, ours) !== runnerId)
      throw new ProviderError('bug', 'the runner is not named as one of this installation', {
        details: { runnerId, runnerName, installationId },
      });
    if (!bootstrap) throw new ProviderError('bug', 'this service creates no instances');
    return instanceSettings(settings, definition);
  }

  /**
   * Looks before it creates, so that a create that was cut short after its instance was made is carried
   * on with that instance; and looks again when the provider says that there is one.
   */
  async #createOnce(
    request: CreateRequest,
    settings: InstanceSettings,
    signal: AbortSignal,
  ): Promise<ProviderInstance> {
    const { runnerName, scaleSetId } = request;
    const pool = { scaleSetId, extraSpecs: settings.extraSpecs };
    const there = await this.#find(runnerName, pool, signal);
    if (there) return there;
    if ((await this.#free(signal)) <= 0)
      throw new ProviderError('quota', 'maxInstances of the provider is reached');
    this.#creating += 1;
    const made = await this.#make(request, { settings, pool }, signal).finally(() => {
      this.#creating -= 1;
    });
    const instance = made === 'duplicate' ? await this.#find(runnerName, pool, signal) : made;
    if (!instance)
      throw new ProviderError('transient', 'the provider says that it exists and does not find it');
    return instance;
  }

  async #make(
    request: CreateRequest,
    { settings, pool }: { settings: InstanceSettings; pool: Pool },
    signal: AbortSignal,
  ): Promise<ProviderInstance | 'duplicate'> {
    const { definition, bootstrap, commands, caBundle } = this.#options;
    if (!bootstrap) throw new ProviderError('bug', 'this service creates no instances');
    const { runnerName } = request;
    const { osType } = settings;
    const tool = toolFor(settings, definition.tools);
    const access = await bootstrap.issue(
      {
        ...request,
        osType,
        proxy: definition.proxy,
        ...(tool ? { tool } : {}),
        ...(caBundle === undefined ? {} : { caBundle }),
      },
      signal,
    );
    request.progress?.('the provider is making the instance');
    const poolId = commands.poolId(pool);
    const body = { runnerName, poolId, settings, access, definition, caBundle };
    const input = JSON.stringify(bootstrapInstance(body));
    const secrets = [access.token.reveal(), request.jitConfig.reveal()];
    const made = await commands.create({ pool, input, secrets }, signal);
    if (made !== 'duplicate') this.#mustBe(runnerName, 'CreateInstance', made);
    return made;
  }

  async #find(runnerName: string, pool: Pool, signal: AbortSignal) {
    const found = await this.#options.commands.find(runnerName, pool, signal);
    if (found) this.#mustBe(runnerName, 'GetInstance', found);
    return found;
  }

  #mustBe(runnerName: string, command: string, found: ProviderInstance): void {
    if (!isNamed(found, runnerName))
      throw wrongAnswer(command, `it is about ${found.name}, not about ${runnerName}`);
  }

  /** Each once: a provider that does not keep pools apart shows an instance in several lists. */
  #toInstances(lists: readonly { pool: Pool; found: readonly ProviderInstance[] }[]): Instance[] {
    const { installationId, clock } = this.#options;
    const now = isoNow(clock);
    const byName = new Map<string, Instance>();
    for (const { pool, found } of lists) {
      for (const each of found) {
        const firstSeenAt = this.#firstSeen.get(each.name) ?? now;
        const context = { installationId, scaleSetId: pool.scaleSetId, firstSeenAt };
        const instance = toInstance(each, context);
        if (instance && !byName.has(each.name)) byName.set(each.name, instance);
      }
    }
    return [...byName.values()];
  }

  /** What a scale set may not say, a create refuses; a list and a delete, which must go on, leave it out. */
  #poolOf({ id: scaleSetId, settings }: ScaleSetAtProvider): Pool {
    if (!this.#options.definition.allowedSettings.includes('extraSpecs'))
      return { scaleSetId, extraSpecs: undefined };
    const parsed = externalSettingsSchema.safeParse(settings ?? {});
    return { scaleSetId, extraSpecs: parsed.data?.extraSpecs };
  }
}
