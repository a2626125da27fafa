import type { Secret } from '@baton/shared/config';
import type { CreateRequest } from './provider.ts';

/** A build of actions/runner that an instance may download. */
export interface RunnerTool {
  os: 'linux' | 'win' | 'osx';
  arch: 'x64' | 'arm' | 'arm64';
  url: string;
  filename: string;
  /** Lower-case hex. */
  sha256: string;
}

/** What an instance will ask for while it becomes a runner. */
export interface BootstrapRequest
  extends Pick<CreateRequest, 'runnerId' | 'runnerName' | 'scaleSetId' | 'jitConfig'> {
  osType: 'linux' | 'windows';
  /** The build for this instance; absent where its image must have one. */
  tool?: RunnerTool;
  /** PEM certificates that the instance must trust besides its own. */
  caBundle?: string;
  proxy: InstanceProxy;
}

/** Empty where there is none. */
export interface InstanceProxy {
  http: string;
  https: string;
  noProxy: string;
}

/** How the instance gets at it. */
export interface BootstrapAccess {
  metadataUrl: string;
  callbackUrl: string;
  /** Good for this runner alone, and only until it is registered or its time is over. */
  token: Secret;
  /** Where at GitHub the runner belongs: the URL of an organization, a repository or an enterprise. */
  repoUrl: string;
}

/** Keeps what an instance fetches when it boots, so that it need not be handed to it by its provider. */
export interface BootstrapPort {
  /** Safe to repeat: the latest call counts. */
  issue(request: BootstrapRequest, signal: AbortSignal): Promise<BootstrapAccess>;
}
