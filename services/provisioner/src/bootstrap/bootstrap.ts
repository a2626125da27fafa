import type { BootstrapPort } from '@baton/providers';
import { ConfigError } from '@baton/shared/errors';
import { repeat } from '@baton/shared/lifecycle';
import type { Random } from '@baton/shared/retry';
import type { SealingKeys } from '@baton/shared/sealing';
import type { JitStore, SpecStore } from '@baton/shared/stores';
import { answerInstance } from './answer-instance.ts';
import { BootstrapDesk } from './bootstrap-desk.ts';
import { serveBootstrap } from './bootstrap-server.ts';
import { BootstrapTokens } from './bootstrap-tokens.ts';
import type { BootstrapConfig } from './config.ts';
import { JitVault } from './jit-vault.ts';
import type { ReportDeps } from './note-report.ts';
import { sweepJit } from './sweep-jit.ts';

interface BootstrapDeps extends ReportDeps {
  jit: JitStore;
  specs: SpecStore;
  random: Random;
  installationId: string;
}

/** Between two passes over what is kept for instances, in ms. */
const sweepEveryMs = 15_000;

/** The part of a provisioner that instances talk to. It does nothing unless a provider wants it. */
export class Bootstrap {
  readonly #config: BootstrapConfig;
  readonly #desk = Promise.withResolvers<BootstrapPort>();
  #settings: { url: string; keys: SealingKeys } | undefined;
  #sweep: ((signal: AbortSignal) => Promise<void>) | undefined;

  constructor(config: BootstrapConfig) {
    this.#config = config;
  }

  /**
   * For a provider that is being built. What is issued through it waits until `start`.
   * @throws ConfigError when the provisioner is not set up for it.
   */
  readonly port = (): BootstrapPort => {
    const { bootstrapUrl, sealingKeys } = this.#config;
    if (bootstrapUrl === undefined || sealingKeys === undefined)
      throw new ConfigError(
        'a provider whose instances fetch their credentials needs BATON_BOOTSTRAP_URL (where they reach this provisioner) and BATON_SEALING_KEY (openssl rand -base64 32)',
      );
    this.#settings = { url: bootstrapUrl, keys: sealingKeys };
    return { issue: async (...call) => await (await this.#desk.promise).issue(...call) };
  };

  /** Listens to instances, when a provider wants it. Disposing of the result ends that. */
  async start(given: BootstrapDeps): Promise<AsyncDisposable> {
    const deps = { ...given, log: given.log.child({ component: 'provider' }) };
    await using started = new AsyncDisposableStack();
    if (this.#settings) {
      const { url, keys } = this.#settings;
      const tokens = new BootstrapTokens({ ...deps, keys });
      const vault = new JitVault({ store: deps.jit, keys, clock: deps.clock });
      const { log } = deps;
      const answering = { ...deps, url, tokens, vault };
      const server = await serveBootstrap(
        (call) => answerInstance(answering, call),
        this.#config,
        log,
      );
      started.use(server);
      log.info({ port: server.port, url }, 'instances are served');
      this.#desk.resolve(new BootstrapDesk({ ...deps, url, tokens, vault }));
      this.#sweep = (signal) =>
        repeat({ ...deps, what: 'kept JIT configs', everyMs: sweepEveryMs, signal }, () =>
          sweepJit({ ...deps, vault }),
        );
    }
    return started.move();
  }

  /** Removes what is kept and not needed any more, until the signal is aborted. */
  async sweep(signal: AbortSignal): Promise<void> {
    await this.#sweep?.(signal);
  }
}
