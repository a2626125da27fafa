import type { BootstrapAccess, BootstrapPort, BootstrapRequest } from '@baton/providers';
import { AppError } from '@baton/shared/errors';
import type { SpecStore } from '@baton/shared/stores';
import type { Clock } from '@baton/shared/time';
import type { BootstrapTokens } from './bootstrap-tokens.ts';
import { readJitConfig } from './core/read-jit-config.ts';
import type { JitVault } from './jit-vault.ts';

interface DeskOptions {
  url: string;
  tokens: BootstrapTokens;
  vault: JitVault;
  specs: SpecStore;
  clock: Clock;
}

/**
 * Hands out what an instance needs to fetch its credentials. What is issued for a runner ends with its
 * scale set's bootstrap timeout, which begins here.
 */
export class BootstrapDesk implements BootstrapPort {
  readonly #options: DeskOptions;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  async issue(request: BootstrapRequest, signal: AbortSignal): Promise<BootstrapAccess> {
    const { url, tokens, vault, specs, clock } = this.#options;
    const { scaleSetId, runnerName, osType, tool, caBundle, proxy } = request;
    const files = readJitConfig(request.jitConfig.reveal());
    const declaration = (await specs.get(scaleSetId))?.value.declaration;
    if (!declaration) throw new AppError('config', `scale set ${scaleSetId} has no spec any more`);
    const { configUrl: repoUrl, bootstrapTimeoutSeconds } = declaration;
    const expiresAt = clock.now() + bootstrapTimeoutSeconds * 1_000;
    signal.throwIfAborted();
    const contents = { runnerName, repoUrl, osType, files, tool, caBundle, proxy, expiresAt };
    await vault.put(request, contents);
    const token = await tokens.issue(request, expiresAt);
    return { metadataUrl: `${url}/metadata`, callbackUrl: `${url}/callbacks`, token, repoUrl };
  }
}
