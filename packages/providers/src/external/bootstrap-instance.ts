import type { BootstrapAccess, RunnerTool } from '../bootstrap-port.ts';
import type { ExternalDefinition } from './definition.ts';
import { installWrapper } from './install-wrapper.ts';
import type { InstanceSettings } from './settings.ts';

interface BootstrapOptions {
  runnerName: string;
  poolId: string;
  settings: InstanceSettings;
  access: BootstrapAccess;
  definition: ExternalDefinition;
  /** PEM; absent without one. */
  caBundle: string | undefined;
}

/** What CreateInstance reads from its stdin. The styles of its keys are those of the protocol. */
export function bootstrapInstance(options: BootstrapOptions): Record<string, unknown> {
  const { runnerName, poolId, settings, access, definition, caBundle } = options;
  return {
    name: runnerName,
    tools: definition.tools.map(protocolTool),
    repo_url: access.repoUrl,
    'callback-url': access.callbackUrl,
    'metadata-url': access.metadataUrl,
    'instance-token': access.token.reveal(),
    'ssh-keys': definition.sshKeys,
    extra_specs: extraSpecs(settings, definition),
    'github-runner-group': settings.runnerGroup,
    'ca-cert-bundle': caBundle === undefined ? null : Buffer.from(caBundle).toString('base64'),
    arch: settings.osArch,
    os_type: settings.osType,
    flavor: settings.flavor,
    image: settings.image,
    labels: null,
    pool_id: poolId,
    user_data_options: {
      disable_updates_on_boot: !definition.updateOnBoot,
      extra_packages: definition.extraPackages,
      enable_boot_debug: false,
    },
    jit_config_enabled: true,
    proxy_config: {
      http_proxy: definition.proxy.http,
      https_proxy: definition.proxy.https,
      no_proxy: definition.proxy.noProxy,
    },
  };
}

function protocolTool({ os, arch, url, filename, sha256 }: RunnerTool): Record<string, string> {
  return { os, architecture: arch, download_url: url, filename, sha256_checksum: sha256 };
}

/** With our own first step for Linux, unless the scale set has one, or wants no extra specs at all. */
function extraSpecs({ extraSpecs: own, osType }: InstanceSettings, definition: ExternalDefinition) {
  if (own === null) return undefined;
  if (osType !== 'linux') return Object.keys(own).length > 0 ? own : undefined;
  const wrapper = Buffer.from(installWrapper(definition.proxy)).toString('base64');
  return { runner_install_template: wrapper, ...own };
}

const toolOs = { linux: 'linux', windows: 'win' } as const;
const toolArch = { amd64: 'x64', i386: undefined, arm64: 'arm64', arm: 'arm' } as const;

/** The build of actions/runner for such an instance; undefined where its image must have one. */
export function toolFor(
  { osType, osArch }: InstanceSettings,
  tools: readonly RunnerTool[],
): RunnerTool | undefined {
  return tools.find(({ os, arch }) => os === toolOs[osType] && arch === toolArch[osArch]);
}
