import { defineConfig } from 'vitest/config';

/** `kube` needs a real API server: it is there only when it is asked for by name. */
const isKubeAsked = process.argv.some((argument) => /^(--project=)?kube$/.test(argument));

const kubeProject = {
  test: {
    name: 'kube',
    include: ['packages/*/src/**/*.kube.test.ts'],
    globalSetup: ['packages/providers/src/kubernetes/testing/require-kube-bin.ts'],
    testTimeout: 60_000,
    hookTimeout: 90_000,
    fileParallelism: false,
  },
};

/** `garm` runs a provider executable that somebody has: it is there only when it is asked for by name. */
const isGarmAsked = process.argv.some((argument) => /^(--project=)?garm$/.test(argument));

const garmProject = {
  test: {
    name: 'garm',
    include: ['packages/*/src/**/*.garm.test.ts'],
    testTimeout: 300_000,
    fileParallelism: false,
  },
};

/** A test file's suffix says what it needs: nothing, a nats-server, whole processes, or an engine. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{services,packages}/*/src/**/*.test.ts',
            'bench/**/*.test.ts',
            'test/{docs,secrets}/**/*.test.ts',
          ],
          exclude: [
            '**/*.nats.test.ts',
            '**/*.engines.test.ts',
            '**/*.kube.test.ts',
            '**/*.garm.test.ts',
            '**/node_modules/**',
          ],
        },
      },
      {
        test: {
          name: 'nats',
          include: ['{services,packages}/*/src/**/*.nats.test.ts'],
          testTimeout: 20_000,
          // They mostly wait.
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.e2e.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          // Each starts whole systems.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'timed',
          include: ['test/e2e/**/*.timed.test.ts'],
          testTimeout: 60_000,
          // Alone: it asserts a time that an operator is promised.
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'engines',
          include: ['packages/*/src/**/*.engines.test.ts', 'test/engines/**/*.engines.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // Each starts an engine of its own.
          maxWorkers: 2,
          sequence: { groupOrder: 4 },
        },
      },
      ...(isKubeAsked ? [kubeProject] : []),
      ...(isGarmAsked ? [garmProject] : []),
    ],
  },
});
