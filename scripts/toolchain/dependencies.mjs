import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { capture } from './capture.mjs';
import { environment } from './environment.mjs';
import { withLock } from './lock.mjs';
import { root } from './paths.mjs';
import { say } from './say.mjs';

const stampFile = `${root}/node_modules/.baton-stamp`;

/** Installs the dependencies, unless they were installed from the same lockfile and manifests. */
export async function ensureDependencies({ node, nodeVersion, pnpm }) {
  const stamp = computeStamp(nodeVersion);
  if (readStamp() === stamp) return;
  await withLock(async () => {
    if (readStamp() === stamp) return;
    say('installing the dependencies, because they are new or have changed');
    const options = ['--frozen-lockfile', '--config.confirmModulesPurge=false'];
    await capture(node, [pnpm, 'install', ...options], {
      what: 'pnpm install',
      env: environment({ node }),
    });
    writeFileSync(stampFile, stamp);
  });
}

function readStamp() {
  return existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : undefined;
}

/** Changes when the result of an install would. */
function computeStamp(nodeVersion) {
  const hash = createHash('sha256').update(nodeVersion);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...manifests()])
    hash.update(`\0${file}\0`).update(readFileSync(`${root}/${file}`));
  return hash.digest('hex');
}

function manifests() {
  return ['packages', 'services'].flatMap((folder) =>
    readdirSync(`${root}/${folder}`)
      .sort()
      .map((name) => `${folder}/${name}/package.json`)
      .filter((file) => existsSync(`${root}/${file}`)),
  );
}
