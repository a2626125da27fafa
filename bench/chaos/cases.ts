import type { Script } from './chaos.ts';

/** What broke a promise once, as short as it still did. */
interface ChaosCase extends Script {
  /** What must not happen, as a fact about the system. */
  what: string;
  seed: number;
  githubOutages?: boolean;
  providerLies?: boolean;
  traces?: boolean;
}

/** Replayed by `test/e2e/chaos-cases.e2e.test.ts`; CONTRIBUTING.md says how a seed becomes one. */
export const chaosCases: readonly ChaosCase[] = [];
