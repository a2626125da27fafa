import { readFileSync } from 'node:fs';
import { ensureTools, toolFile } from './fetch-tools.mjs';
import { root } from './paths.mjs';
import { LaunchError } from './say.mjs';

const wantedMajor = 24;
const oldestMajor = 20;
/** The Node that is fetched when the machine's own is too old to run TypeScript from source. */
const pinnedNode = '24.21.0';

/** The Node that runs Baton, and the pnpm (plain JavaScript) that package.json names: paths. */
export async function ensureToolchain() {
  const [name, version] = packageManager();
  const pnpm = { name, version, why: 'to install the dependencies' };
  const node = nodeToFetch();
  await ensureTools(node ? [node, pnpm] : [pnpm]);
  return {
    node: node ? toolFile(node.name, 'bin/node') : process.execPath,
    nodeVersion: node ? node.version : process.versions.node,
    pnpm: toolFile(name, 'bin/pnpm.mjs'),
  };
}

/** The npm package that holds a Node for this machine; `undefined` if we run on a good one. */
function nodeToFetch() {
  const { platform, arch, version, versions } = process;
  const major = Number(versions.node.split('.')[0]);
  if (major >= wantedMajor) return undefined;
  if (major < oldestMajor)
    throw new LaunchError(
      `this is Node ${version}, and starting Baton takes Node ${oldestMajor} or newer: install ` +
        `Node ${wantedMajor} from https://nodejs.org`,
    );
  if (!['linux', 'darwin'].includes(platform) || !['x64', 'arm64'].includes(arch))
    throw new LaunchError(
      `there is no Node to fetch for ${platform} ${arch}: install Node ${wantedMajor} from ` +
        'https://nodejs.org',
    );
  return {
    name: `node-${platform}-${arch}`,
    version: pinnedNode,
    why: `because Baton needs Node ${wantedMajor} and this is ${version}`,
  };
}

function packageManager() {
  return JSON.parse(readFileSync(`${root}/package.json`, 'utf8')).packageManager.split('@');
}
