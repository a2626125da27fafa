import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@baton/shared/config';
import { systemClock } from '@baton/shared/time';
import type { BootstrapRequest } from '../../bootstrap-port.ts';
import type { ComputeProvider } from '../../provider.ts';
import type { ProviderDeps } from '../../provider-deps.ts';
import { createProvider, providerDefinitionSchema } from '../../registry.ts';
import { aRequest } from '../../testing/a-request.ts';
import { writeNodeExecutable } from '../local/write-executable.ts';

export const token = 'bootstrap-token-of-a-test';
export const jitText = 'jit-config-of-a-test';

/** A request for a runner that is named as services name them. */
export function aNamedRequest(runnerId = 'abc23') {
  const jitConfig = new Secret(jitText);
  return aRequest({ runnerId, runnerName: `linux-conformance-${runnerId}`, jitConfig });
}

interface Call {
  env: Record<string, string>;
  stdin: string;
  pid: number;
  grandchild: number;
}

/** A folder with an executable that misbehaves as it is told, and what it was called with. */
export class MisbehavingBench implements AsyncDisposable {
  readonly dir: string;
  readonly issued: BootstrapRequest[] = [];

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async start(): Promise<MisbehavingBench> {
    const bench = new MisbehavingBench(await mkdtemp(join(tmpdir(), 'baton-misbehave-')));
    const module = new URL('./misbehave.ts', import.meta.url).href;
    await writeNodeExecutable(join(bench.dir, 'provider'), module);
    await bench.behave({});
    return bench;
  }

  get definition() {
    return {
      type: 'external',
      executable: join(this.dir, 'provider'),
      configFile: join(this.dir, 'behaviour.json'),
      execTimeoutMs: 30_000,
      defaults: { image: 'ubuntu', flavor: 'small' },
    };
  }

  /** What it says to the commands that are not named: that there are no instances. */
  async behave(behaviours: Record<string, object>): Promise<void> {
    const all = { ListInstances: { stdout: '[]' }, ...behaviours };
    await writeFile(this.definition.configFile, JSON.stringify(all));
  }

  async provider(
    part: Record<string, unknown> = {},
    deps: Partial<ProviderDeps> = {},
  ): Promise<ComputeProvider> {
    const definition = providerDefinitionSchema.parse({ ...this.definition, ...part });
    return await createProvider(definition, {
      installationId: 'conformance',
      clock: systemClock,
      env: {},
      scaleSets: () => Promise.resolve([{ id: 'set-1' }]),
      bootstrap: () => ({
        issue: (request) => {
          this.issued.push(request);
          const urls = { metadataUrl: 'https://b/metadata', callbackUrl: 'https://b/callbacks' };
          const repoUrl = 'https://github.com/acme';
          return Promise.resolve({ ...urls, repoUrl, token: new Secret(token) });
        },
      }),
      ...deps,
    });
  }

  /** How the executable was called for this command the last time. */
  async calledWith(command: string): Promise<Call> {
    return JSON.parse(await readFile(`${this.definition.configFile}.${command}`, 'utf8')) as Call;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}
