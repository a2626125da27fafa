import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { capture } from './capture.mjs';
import { withLock } from './lock.mjs';
import { LaunchError, say } from './say.mjs';

/** Debian's package of each program that the tests of engines need. */
const packages = { dockerd: 'docker.io', busybox: 'busybox-static', ldd: 'libc-bin', tar: 'tar' };
/** Where packages put them when it is not on the PATH. */
const usualFolders = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];

/** Makes sure that a Docker engine can be started; installs the distribution's packages where we may. */
export async function requireDocker() {
  if (process.getuid?.() !== 0)
    throw new LaunchError(
      'these tests start a Docker engine, which only root may do: run them as root',
    );
  if (missing().length === 0) return;
  if (!existsSync('/etc/debian_version')) throw new LaunchError(advice(missing()));
  await withLock(async () => {
    if (missing().length > 0) await installWithApt(missing());
  });
  const still = missing();
  if (still.length > 0) throw new LaunchError(`${advice(still)}; apt-get did not bring them`);
}

function missing() {
  return Object.keys(packages).filter((program) => !isThere(program));
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

async function installWithApt(programs) {
  const names = [...new Set(programs.map((program) => packages[program]))].join(' ');
  say(`installing ${names} with apt-get, for the tests of engines`);
  // A bare machine must not start a daemon of its own.
  const script = `apt-get update && apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends ${names}`;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  await capture('/bin/sh', ['-c', script], { what: script, env });
}

function advice(programs) {
  return `the tests of engines need ${programs.join(', ')}: install ${programs.map((name) => packages[name]).join(' ')}`;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
