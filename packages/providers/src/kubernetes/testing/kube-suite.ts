import { afterEach, beforeEach, describe } from 'vitest';
import { providerConformance } from '../../conformance.ts';
import type { ApiServer } from './cluster.ts';
import { aKubeBench, type KubeBench } from './kube-bench.ts';
import { lifeTests } from './suite/life-tests.ts';
import { placementTests } from './suite/placement-tests.ts';
import { refusalTests } from './suite/refusal-tests.ts';
import { rightsTests } from './suite/rights-tests.ts';
import { strictnessTests } from './suite/strictness-tests.ts';

/**
 * Everything that is true of the provider and of an API server, run against the stand-in and against a
 * real one: what the stand-in lets through and the real one does not fails here.
 */
export function kubernetesSuite(name: string, server: () => ApiServer): void {
  providerConformance(name, async () => await aKubeBench(server()));

  describe(name, { timeout: 30_000 }, () => {
    let bench: KubeBench;
    beforeEach(async () => {
      bench = await aKubeBench(server());
    });
    afterEach(async () => await bench.dispose());

    lifeTests(() => bench);
    placementTests(() => bench);
    refusalTests(() => bench);
    rightsTests(() => bench);
    strictnessTests(() => bench);
  });
}
