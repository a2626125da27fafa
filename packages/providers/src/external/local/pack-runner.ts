import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { RunnerTool } from '../../bootstrap-port.ts';

/** An archive like those of actions/runner, with this shell script as its `run.sh`. */
export async function packRunner(folder: string, runScript: string): Promise<RunnerTool> {
  const content = join(folder, 'runner');
  await mkdir(content, { recursive: true });
  await writeFile(join(content, 'run.sh'), runScript);
  await chmod(join(content, 'run.sh'), 0o755);
  const filename = 'runner.tar.gz';
  const archive = join(folder, filename);
  await promisify(execFile)('tar', ['-czf', archive, '-C', content, '.']);
  const sha256 = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  return { os: 'linux', arch: 'x64', url: pathToFileURL(archive).href, filename, sha256 };
}
