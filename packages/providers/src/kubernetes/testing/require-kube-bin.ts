import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder with `kube-apiserver`. */
    kubeBin: string;
  }
}

/** Tells the tests of the project `kube` where the real API server is, or why they cannot run. */
export function setup(project: TestProject): void {
  // biome-ignore lint/style/noProcessEnv: the one place where tests of a real API server are asked for.
  const kubeBin = process.env.BATON_TEST_KUBE_BIN ?? '';
  try {
    accessSync(join(kubeBin, 'kube-apiserver'), constants.X_OK);
  } catch {
    throw new Error(
      'set BATON_TEST_KUBE_BIN to a folder with kube-apiserver (and etcd, if it is not on the PATH)',
    );
  }
  project.provide('kubeBin', kubeBin);
}
