import { afterEach, beforeEach, describe } from 'vitest';
import { createTests } from './conformance/create-tests.ts';
import { deleteTests } from './conformance/delete-tests.ts';
import { interruptTests } from './conformance/interrupt-tests.ts';
import { listTests } from './conformance/list-tests.ts';
import { placeTests } from './conformance/place-tests.ts';
import { neverAborted } from './conformance/wait.ts';
import type { ComputeProvider } from './provider.ts';

export { eventuallyState } from './conformance/wait.ts';

/**
 * A provider under test, with room for at least fourteen instances. Its runner program must do what
 * the first word of its JIT config says: `run` runs until it is stopped, `stubborn` does so and
 * ignores SIGTERM, `exit <code>` ends at once with that code. It writes its JIT config nowhere.
 */
export interface ProviderBench {
  provider: ComputeProvider;
  /** The same place, seen by the installation `other`; `provider` is of `conformance`. */
  foreign: ComputeProvider;
  /**
   * The same place and installation, seen by another service: an object that shares nothing in memory
   * with `provider`. Where absent, `provider` plays both.
   */
  second?: ComputeProvider;
  dispose(): Promise<void>;
}

export interface ConformanceOptions {
  /** Longest time that a test may take, in ms. For places where an instance is slow to start. */
  timeoutMs?: number;
}

/** What every adapter must do. Call it in a test file of the adapter. */
export function providerConformance(
  name: string,
  makeBench: () => Promise<ProviderBench>,
  { timeoutMs = 30_000 }: ConformanceOptions = {},
): void {
  describe(`${name} is a compute provider that`, { timeout: timeoutMs }, () => {
    let bench: ProviderBench;

    beforeEach(async () => {
      bench = await makeBench();
    }, timeoutMs);
    afterEach(async () => {
      await deleteAll(bench.provider);
      await deleteAll(bench.foreign);
      await bench.dispose();
    }, timeoutMs);

    createTests(() => bench);
    interruptTests(() => bench);
    listTests(() => bench);
    deleteTests(() => bench);
    placeTests(() => bench);
  });
}

async function deleteAll(provider: ComputeProvider): Promise<void> {
  const instances = await provider.list(neverAborted);
  await Promise.all(instances.map(({ instanceId }) => provider.delete(instanceId, neverAborted)));
}
