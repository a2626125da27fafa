import { runnerKey } from '@baton/shared/contracts';
import { AppError, ContractError } from '@baton/shared/errors';
import type { SealingKeys } from '@baton/shared/sealing';
import type { JitStore } from '@baton/shared/stores';
import type { Clock } from '@baton/shared/time';
import { z } from 'zod';
import type { RunnerRef } from './bootstrap-tokens.ts';

/** What an instance may fetch while it becomes a runner. */
const contentsSchema = z.object({
  runnerName: z.string(),
  repoUrl: z.string(),
  osType: z.enum(['linux', 'windows']),
  files: z.object({
    runner: z.string(),
    credentials: z.string(),
    credentials_rsaparams: z.string(),
  }),
  tool: z.object({ url: z.string(), filename: z.string(), sha256: z.string() }).optional(),
  caBundle: z.string().optional(),
  proxy: z.object({ http: z.string(), https: z.string(), noProxy: z.string() }),
  /** Ms since 1970. */
  expiresAt: z.number(),
});
export type VaultContents = z.output<typeof contentsSchema>;

interface VaultOptions {
  store: JitStore;
  keys: SealingKeys;
  clock: Clock;
}

const maxAttempts = 5;

/** Keeps what instances fetch, sealed to their runner, so that NATS holds none of it in the clear. */
export class JitVault {
  readonly #store: JitStore;
  readonly #keys: SealingKeys;
  readonly #clock: Clock;

  constructor({ store, keys, clock }: VaultOptions) {
    this.#store = store;
    this.#keys = keys;
    this.#clock = clock;
  }

  /** Replaces what was kept for the runner. */
  async put(runner: RunnerRef, contents: VaultContents): Promise<void> {
    const sealed = this.#keys.seal(JSON.stringify(contents), contextOf(runner));
    await this.#store.put(keyOf(runner), sealed);
  }

  /** @throws AppError when it does not open: its key was taken away too early. */
  async get(runner: RunnerRef): Promise<VaultContents | undefined> {
    const sealed = (await this.#store.get(keyOf(runner)))?.value;
    if (!sealed) return undefined;
    const contents = contentsSchema.safeParse(
      JSON.parse(this.#keys.open(sealed, contextOf(runner))),
    );
    if (!contents.success) throw new ContractError('what was sealed for a runner is not readable');
    return contents.data.expiresAt > this.#clock.now() ? contents.data : undefined;
  }

  /** Removes what was kept; nothing of it is left in the bucket. Safe to repeat. */
  async remove(runner: RunnerRef): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const entry = await this.#store.get(keyOf(runner));
      if (!entry || (await this.#store.delete(entry.key, entry.revision))) return;
    }
    throw new AppError('conflict', 'what a runner fetches is written all the time', {
      retryable: true,
    });
  }

  /** The runners for which something may be kept. */
  async runners(): Promise<RunnerRef[]> {
    return (await this.#store.keys()).flatMap((key) => {
      const at = key.lastIndexOf('.');
      return at > 0 ? [{ scaleSetId: key.slice(0, at), runnerId: key.slice(at + 1) }] : [];
    });
  }

  /** Forgets that something was removed: marks of deletions would pile up for a day. */
  async forgetRemoved(): Promise<void> {
    const before = this.#clock.now() - forgetAfterMs;
    for (const key of await this.#store.keys()) {
      const found = await this.#store.lookup(key);
      if (found.kind !== 'deleted' || found.deletedAt.getTime() > before) continue;
      await this.#store.forget(key, found.revision);
    }
  }
}

/** Longer than clocks differ, in ms: the server's clock says when a key was deleted. */
const forgetAfterMs = 60_000;

function keyOf({ scaleSetId, runnerId }: RunnerRef): string {
  return runnerKey(scaleSetId, runnerId);
}

function contextOf({ scaleSetId, runnerId }: RunnerRef): string {
  return JSON.stringify(['jit', scaleSetId, runnerId]);
}
