import { requirePrograms } from './programs.mjs';
import { LaunchError } from './say.mjs';

/** Debian's package of each program that the tests of engines need. */
const packages = { dockerd: 'docker.io', busybox: 'busybox-static', ldd: 'libc-bin', tar: 'tar' };

/** Makes sure that a Docker engine can be started; installs the distribution's packages where we may. */
export async function requireDocker() {
  if (process.getuid?.() !== 0)
    throw new LaunchError(
      'these tests start a Docker engine, which only root may do: run them as root',
    );
  await requirePrograms(packages, 'the tests of engines');
}
