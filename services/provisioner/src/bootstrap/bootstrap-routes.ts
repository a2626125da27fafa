import { installScript } from './core/install-script.ts';
import { type InstanceReport, readStatus, readSystemInfo } from './core/read-report.ts';
import { serviceName, unitFile } from './core/service-name.ts';
import { type BootstrapReply, refusal } from './exchange.ts';
import type { VaultContents } from './jit-vault.ts';

/** What a route of the metadata answers from. */
interface MetadataCall {
  contents: VaultContents;
  /** Where instances reach this server. */
  url: string;
  token: string;
  query: URLSearchParams;
}

type MetadataRoute = (call: MetadataCall) => BootstrapReply;

const ok = (body: unknown): BootstrapReply => ({ status: 200, body });

/** GET, after `/metadata/`. */
export const metadataRoutes: ReadonlyMap<string, MetadataRoute> = new Map([
  ['install-script', answerInstallScript],
  ['runner-metadata', answerRunnerMetadata],
  ['credentials/runner', ({ contents }) => ok(contents.files.runner)],
  ['credentials/credentials', ({ contents }) => ok(contents.files.credentials)],
  ['credentials/credentials_rsaparams', ({ contents }) => ok(contents.files.credentials_rsaparams)],
  ['system/service-name', ({ contents }) => ok(serviceName(contents.repoUrl))],
  ['systemd/unit-file', answerUnitFile],
  ['system/cert-bundle', ({ contents }) => ok({ root_certificates: certificates(contents) })],
] satisfies [string, MetadataRoute][]);

/** POST, after `/callbacks/`: how the body is read. */
export const callbackRoutes: ReadonlyMap<string, (body: unknown) => InstanceReport | undefined> =
  new Map([
    ['status', readStatus],
    ['system-info', readSystemInfo],
  ]);

/** What others of this protocol answer and a runner with a JIT config does not need. */
export const unservedRoutes: ReadonlyMap<string, string> = new Map([
  ['runner-registration-token', 'runners register with their JIT config: fetch credentials/…'],
  ['tools/garm-agent', 'Baton has no agent on its instances'],
]);

function answerInstallScript({ contents, url, token }: MetadataCall): BootstrapReply {
  if (contents.osType !== 'linux')
    return refusal(
      501,
      'Not Implemented',
      'there is an install script for Linux only: use an image or a template that installs the runner',
    );
  const urls = { metadataUrl: `${url}/metadata`, callbackUrl: `${url}/callbacks` };
  return ok(installScript({ ...contents, ...urls, token }));
}

function answerRunnerMetadata({ contents, url }: MetadataCall): BootstrapReply {
  const { repoUrl, runnerName, tool } = contents;
  return ok({
    metadata_access: {
      callback_url: `${url}/callbacks`,
      metadata_url: `${url}/metadata`,
      agent_url: '',
    },
    forge_type: 'github',
    runner_registration_url: repoUrl,
    runner_name: runnerName,
    runner_labels: [],
    ca_bundles: certificates(contents),
    agent_mode: false,
    jit_enabled: true,
    runner_tools: tool
      ? { download_url: tool.url, filename: tool.filename, sha256_checksum: tool.sha256 }
      : {},
  });
}

function answerUnitFile({ contents, query }: MetadataCall): BootstrapReply {
  const unit = unitFile(contents.runnerName, query.get('runAsUser') ?? 'runner');
  return unit === undefined
    ? refusal(400, 'Bad Request', 'runAsUser must be the name of a Linux user')
    : ok(unit);
}

function certificates({ caBundle }: VaultContents): Record<string, string> {
  return caBundle === undefined ? {} : { baton: Buffer.from(caBundle).toString('base64') };
}
