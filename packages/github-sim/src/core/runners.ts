import { randomBytes } from 'node:crypto';
import type { Clock } from '@baton/shared/time';
import type { Job, Runner, ScaleSet } from './model.ts';
import { refusals } from './refusal.ts';

interface RunnersOptions {
  clock: Clock;
  /** Where runners find the simulator. */
  serverUrl: string;
  /** Called with the job of a runner whose registration went away under it. */
  onJobAbandoned: (job: Job) => void;
}

/** The registered runners of all scopes, and those that were. */
export class Runners {
  /** Whether answers about runners leave out everything but who they are. */
  bare = false;
  readonly #clock: Clock;
  readonly #serverUrl: string;
  readonly #onJobAbandoned: (job: Job) => void;
  readonly #registered = new Map<number, Runner>();
  readonly #byName = new Map<string, Runner>();
  readonly #everById = new Map<number, Runner>();

  constructor({ clock, serverUrl, onJobAbandoned }: RunnersOptions) {
    this.#clock = clock;
    this.#serverUrl = serverUrl;
    this.#onJobAbandoned = onJobAbandoned;
  }

  /** Registers a runner that is offline until its JIT config is used. */
  register(set: ScaleSet, name: string, workFolder: string): { runner: Runner; config: string } {
    const key = nameKey(set.scope, name);
    if (this.#byName.has(key)) throw refusals.runnerExists(name);
    const runner: Runner = {
      id: this.#everById.size + 1,
      name,
      set,
      secret: randomBytes(24).toString('base64url'),
      createdAt: this.#clock.now(),
      status: 'offline',
      onlineAt: undefined,
      hadJob: false,
      registered: true,
      told: true,
      instance: undefined,
      token: undefined,
      job: undefined,
      finished: false,
      held: undefined,
      lastSeenAt: this.#clock.monotonic(),
    };
    this.#registered.set(runner.id, runner);
    this.#everById.set(runner.id, runner);
    this.#byName.set(key, runner);
    return { runner, config: jitConfig(runner, this.#serverUrl, workFolder) };
  }

  all(): Runner[] {
    return [...this.#registered.values()];
  }

  list(scope: string, name?: string): Runner[] {
    if (name === undefined) return this.all().filter((runner) => runner.set.scope === scope);
    const runner = this.#byName.get(nameKey(scope, name));
    return runner ? [runner] : [];
  }

  get(scope: string, id: string): Runner {
    const runner = this.#registered.get(Number(id));
    if (!runner || runner.set.scope !== scope) throw refusals.runnerNotFound(id);
    return runner;
  }

  /** A runner that is or was registered. */
  ever(id: number): Runner | undefined {
    return this.#everById.get(id);
  }

  /** What DELETE of an agent does: refused for a busy one, fine for one that is gone. */
  remove(scope: string, id: string): void {
    const runner = this.#registered.get(Number(id));
    if (!runner || runner.set.scope !== scope) return;
    if (runner.status === 'busy') throw refusals.jobStillRunning(runner.name);
    this.unregister(runner);
  }

  /** Ends a registration. The job of a busy runner is lost. `told`: its process learns of it. */
  unregister(runner: Runner, told = true): void {
    if (!runner.registered) return;
    runner.registered = false;
    runner.told = told;
    runner.status = 'offline';
    this.#registered.delete(runner.id);
    this.#byName.delete(nameKey(runner.set.scope, runner.name));
    runner.set.idle.delete(runner);
    runner.set.ready.delete(runner);
    runner.set.busy.delete(runner);
    const job = runner.job;
    runner.job = undefined;
    if (told) runner.held?.hold.end({ kind: 'removed' });
    if (job) this.#onJobAbandoned(job);
  }
}

function nameKey(scope: string, name: string): string {
  return `${scope}\n${name.toLowerCase()}`;
}

/** The shape of a real JIT config: base64 JSON of the files that `config.sh` would have made. */
function jitConfig(runner: Runner, serverUrl: string, workFolder: string): string {
  const files = {
    '.runner': {
      agentId: String(runner.id),
      agentName: runner.name,
      disableUpdate: 'True',
      ephemeral: 'True',
      gitHubUrl: serverUrl,
      poolId: '0',
      poolName: 'Default',
      serverUrl,
      workFolder,
    },
    '.credentials': {
      scheme: 'OAuth',
      data: { clientId: runner.secret, authorizationUrl: `${serverUrl}/runner/connect` },
    },
    '.credentials_rsaparams': { exponent: 'AQAB', modulus: runner.secret },
  };
  const encoded = Object.entries(files).map(([name, content]) => [name, base64(content)]);
  return base64(Object.fromEntries(encoded));
}

function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}
