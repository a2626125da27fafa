import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { capture } from './capture.mjs';
import { withLock } from './lock.mjs';
import { toolsFolder } from './paths.mjs';
import { say } from './say.mjs';

const asidePrefix = 'fetching-';
const strayAgeMs = 10 * 60_000;

/** The path of a file of a fetched npm package. */
export function toolFile(name, file) {
  return `${toolsFolder}/node_modules/${name}/${file}`;
}

/**
 * Fetches npm packages into `.tools`, unless they are there in these versions. They are installed
 * aside and moved into place, so that a launch that is killed leaves nothing half-done there.
 */
export async function ensureTools(tools) {
  if (tools.every(isPresent)) return;
  await withLock(async () => {
    const missing = tools.filter((tool) => !isPresent(tool));
    if (missing.length === 0) return;
    for (const { name, version, why } of missing) say(`fetching ${name} ${version}, ${why}`);
    removeStrays();
    const aside = mkdtempSync(`${toolsFolder}/${asidePrefix}`);
    try {
      await npmInstall(aside, missing);
      mkdirSync(`${toolsFolder}/node_modules`, { recursive: true });
      for (const { name } of missing) {
        rmSync(toolFile(name, ''), { recursive: true, force: true });
        renameSync(`${aside}/node_modules/${name}`, toolFile(name, ''));
      }
    } finally {
      rmSync(aside, { recursive: true, force: true });
    }
  });
}

/** What killed launches left. Old enough that no npm which outlived its launch still works there. */
function removeStrays() {
  for (const name of readdirSync(toolsFolder).filter((entry) => entry.startsWith(asidePrefix))) {
    const stray = `${toolsFolder}/${name}`;
    if (Date.now() - statSync(stray).mtimeMs > strayAgeMs)
      rmSync(stray, { recursive: true, force: true });
  }
}

async function npmInstall(prefix, tools) {
  const packages = tools.map(({ name, version }) => `${name}@${version}`);
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  await capture('npm', ['install', '--prefix', prefix, ...quiet, ...packages], {
    what: `npm install of ${packages.join(' and ')}`,
  });
}

function isPresent({ name, version }) {
  const manifest = toolFile(name, 'package.json');
  return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === version;
}
