import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { capture } from './capture.mjs';
import { withLock } from './lock.mjs';
import { LaunchError, say } from './say.mjs';

/** Where packages put them when it is not on the PATH. */
const usualFolders = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];

/**
 * Makes sure that programs are there, `packages` being Debian's package of each and `who` who needs them;
 * installs the distribution's packages where we may.
 */
export async function requirePrograms(packages, who) {
  const missing = () => Object.keys(packages).filter((program) => !isThere(program));
  const advice = () => {
    const names = missing();
    return `${who} need ${names.join(', ')}: install ${packagesOf(packages, names)}`;
  };
  if (missing().length === 0) return;
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0)
    throw new LaunchError(advice());
  await withLock(async () => {
    if (missing().length > 0) await installWithApt(packagesOf(packages, missing()), who);
  });
  if (missing().length > 0) throw new LaunchError(`${advice()}; apt-get did not bring them`);
}

function packagesOf(packages, programs) {
  return [...new Set(programs.map((program) => packages[program]))].join(' ');
}

function isThere(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...usualFolders];
  const found = folders.map((folder) => `${folder}/${program}`).find(isExecutable);
  // It becomes an image that has no libraries.
  return found !== undefined && (program !== 'busybox' || isStatic(found));
}

/** A program without an interpreter is linked statically: it names no loader. */
function isStatic(path) {
  return !readFileSync(path).subarray(0, 4096).includes('/ld-linux');
}

async function installWithApt(names, who) {
  say(`installing ${names} with apt-get, for ${who}`);
  // A bare machine must not start a daemon of its own.
  const script = `apt-get update && apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends ${names}`;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  await capture('/bin/sh', ['-c', script], { what: script, env });
}

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
