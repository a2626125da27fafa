import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { capture } from './capture.mjs';
import { withLock } from './lock.mjs';
import { isExecutable } from './programs.mjs';
import { LaunchError, say } from './say.mjs';

/** Where packages put it when it is not on the PATH; the same as packages/stack/src/nats-server.ts. */
const usualFolders = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** The path of the nats-server program, or `undefined`. */
export function findNatsServer() {
  const configured = process.env.NATS_SERVER_BIN;
  if (configured) return isExecutable(configured) ? configured : undefined;
  return [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...usualFolders]
    .map((folder) => `${folder}/nats-server`)
    .find(isExecutable);
}

/** The path of the nats-server program; installs the distribution's package where we may. */
export async function requireNatsServer() {
  const found = findNatsServer();
  if (found) return found;
  const configured = process.env.NATS_SERVER_BIN;
  if (configured)
    throw new LaunchError(`NATS_SERVER_BIN is ${configured}, which is not an executable file`);
  const hasApt = existsSync('/etc/debian_version');
  if (!hasApt || process.getuid?.() !== 0) throw new LaunchError(adviceFor(hasApt));
  return await withLock(async () => findNatsServer() ?? (await installWithApt()));
}

async function installWithApt() {
  say('installing nats-server with apt-get, because Baton keeps its state in NATS');
  const script =
    'apt-get update && apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends nats-server';
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await capture('/bin/sh', ['-c', script], { what: script, env });
  const found = findNatsServer();
  if (!found) throw new LaunchError('apt-get installed nats-server, but the program is not there');
  return found;
}

function adviceFor(hasApt) {
  const why = 'nats-server is missing, and Baton keeps its state in NATS: type';
  if (hasApt) return `${why} "sudo apt-get install -y nats-server" and start again`;
  if (process.platform === 'darwin') return `${why} "brew install nats-server" and start again`;
  return (
    `${why} the install command of your distribution for nats-server, or unpack a release of ` +
    'https://github.com/nats-io/nats-server and set NATS_SERVER_BIN to the program'
  );
}
