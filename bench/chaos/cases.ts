import type { ChaosOptions, Script } from './chaos.ts';

/** What broke a promise once, as short as it still did. */
interface ChaosCase
  extends Pick<ChaosOptions, 'seed'>,
    Partial<Pick<ChaosOptions, 'providerLies' | 'traces'>> {
  /** What is so now, as a fact about the system. */
  what: string;
  script: Script;
}

/** Replayed by `test/e2e/chaos-cases.timed.test.ts`; CONTRIBUTING.md says how a seed becomes one. */
export const chaosCases: readonly ChaosCase[] = [
  {
    what: 'a scale set that is deleted, and made again without an answer, is polled again as our own',
    seed: 7,
    script: {
      steps: [
        {
          kind: 'fault',
          atMs: 0,
          fault: {
            what: 'spoil',
            route: 'createScaleSet',
            probability: 1,
            action: { kind: 'drop', when: 'mid-body' },
            forMs: 3_000,
          },
        },
        {
          kind: 'fault',
          atMs: 100,
          fault: { what: 'delete scale set', scaleSet: 'set-without-jobs', forMs: 0 },
        },
        { kind: 'strike', atMs: 2_000, how: 'kill', victim: 'listener-0', backAfterMs: 500 },
        { kind: 'strike', atMs: 2_100, how: 'kill', victim: 'listener-1', backAfterMs: 500 },
        { kind: 'strike', atMs: 2_200, how: 'kill', victim: 'listener-2', backAfterMs: 500 },
      ],
      jobs: [{ atMs: 500, scaleSet: 'set-1', durationMs: 1_000, crash: false }],
    },
  },
  {
    what: 'services that start while NATS stands still wait until it answers',
    seed: 109,
    script: {
      steps: [
        { kind: 'strike', atMs: 0, how: 'kill', victim: 'provisioner-1', backAfterMs: 200 },
        { kind: 'strike', atMs: 0, how: 'kill', victim: 'janitor-1', backAfterMs: 300 },
        { kind: 'strike', atMs: 0, how: 'kill', victim: 'provisioner-0', backAfterMs: 400 },
        { kind: 'strike', atMs: 0, how: 'kill', victim: 'janitor-0', backAfterMs: 500 },
        { kind: 'strike', atMs: 1_200, how: 'freeze', victim: 'nats', backAfterMs: 2_631 },
      ],
      jobs: [{ atMs: 100, scaleSet: 'set-1', durationMs: 1_000, crash: false }],
    },
  },
];
