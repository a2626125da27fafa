import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the local provider reads from its configuration file. */
export interface LocalProviderConfig {
  directory: string;
  instanceEnv?: Record<string, string>;
  mayInherit?: string[];
}

/**
 * Makes the local provider executable in a folder: a file that the system can start without PATH, and its
 * configuration. Returns what a definition names.
 */
export async function writeLocalExecutable(
  folder: string,
  config: LocalProviderConfig,
): Promise<{ executable: string; configFile: string }> {
  const configFile = join(folder, 'provider.json');
  await writeFile(configFile, JSON.stringify(config));
  const module = new URL('./main.ts', import.meta.url).href;
  return { executable: await writeNodeExecutable(join(folder, 'provider'), module), configFile };
}

/** A program that runs a module with the Node of this process. */
export async function writeNodeExecutable(file: string, module: string): Promise<string> {
  const cache = JSON.stringify(`${file}.cache`);
  const lines = [
    `#!${process.execPath}`,
    `require('node:module').enableCompileCache(${cache});`,
    `import(${JSON.stringify(module)});`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  await chmod(file, 0o755);
  return file;
}
