import { ConfigError } from '@baton/shared/errors';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isAborted } from '@baton/shared/time';
import { type Credential, credentialKey } from './credential.ts';
import { loadCredentials } from './credentials-file.ts';

interface FollowOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Called with the new credentials. */
  onChange: (credentials: Iterable<Credential>) => void;
}

const lookEveryMs = 5_000;
/** A file that is being written is read again after this, until it stays the same. */
const settleMs = 200;

/** The credentials of a process, by name, as the file last had them when it could be used. */
export class Credentials {
  readonly #file: string;
  readonly #log: Logger;
  #current: ReadonlyMap<string, Credential>;
  #problem: string | undefined;

  /** @throws ConfigError when the file, or one that it names, cannot be used. */
  constructor(file: string, log: Logger) {
    this.#file = file;
    this.#log = log;
    this.#current = loadCredentials(file);
  }

  /** @throws ConfigError when there is none of this name. */
  get(name: string): Credential {
    const credential = this.#current.get(name);
    if (credential) return credential;
    throw new ConfigError(
      `credential "${name}" is not in BATON_CREDENTIALS_FILE: add it there, or change the scale set`,
    );
  }

  /** All of them, by name. */
  get all(): ReadonlyMap<string, Credential> {
    return this.#current;
  }

  /** Why the file as it is now is not in use; undefined when it is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** As `problem`, of the file as it is at this moment. */
  lookForProblem(): string | undefined {
    this.#tryRead();
    return this.#problem;
  }

  /**
   * Reads the file and those that it names every 5 s, by their content: a Kubernetes secret changes
   * by the swap of a link, which not every watch sees. What cannot be used is told once, and the
   * credentials stay as they were. Ends with the signal; never rejects.
   */
  async follow({ clock, signal, onChange }: FollowOptions): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(lookEveryMs, signal).catch(() => undefined);
      if (isAborted(signal)) return;
      const changed = await this.#readSettled(clock, signal);
      if (!changed || isAborted(signal)) continue;
      this.#log.info({ credentials: changedNames(this.#current, changed) }, 'credentials changed');
      this.#current = changed;
      onChange(changed.values());
    }
  }

  /** The new credentials, when there are others than before and the file has come to rest. */
  async #readSettled(
    clock: Clock,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Credential> | undefined> {
    let before = this.#current;
    for (;;) {
      const read = this.#tryRead();
      if (!read || changedNames(before, read).length === 0) {
        return read && before !== this.#current ? read : undefined;
      }
      before = read;
      await clock.sleep(settleMs, signal).catch(() => undefined);
      if (isAborted(signal)) return undefined;
    }
  }

  #tryRead(): ReadonlyMap<string, Credential> | undefined {
    try {
      const read = loadCredentials(this.#file);
      if (this.#problem !== undefined) this.#log.info('credentials file can be used again');
      this.#problem = undefined;
      return read;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== this.#problem) {
        this.#log.error({ err: error }, 'credentials file cannot be used, keeping the old ones');
      }
      this.#problem = problem;
      return undefined;
    }
  }
}

function changedNames(
  before: ReadonlyMap<string, Credential>,
  after: ReadonlyMap<string, Credential>,
): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter(
    (name) => fingerprint(before.get(name)) !== fingerprint(after.get(name)),
  );
}

function fingerprint(credential: Credential | undefined): string {
  return credential ? JSON.stringify([credentialKey(credential), credential.hosts]) : '';
}
