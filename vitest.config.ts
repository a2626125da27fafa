import { defineConfig } from 'vitest/config';

/** A test file's suffix says what it needs: nothing, a nats-server, or whole processes. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{services,packages}/*/src/**/*.test.ts'],
          exclude: ['**/*.nats.test.ts', '**/node_modules/**'],
        },
      },
      {
        test: {
          name: 'nats',
          include: ['{services,packages}/*/src/**/*.nats.test.ts'],
          testTimeout: 20_000,
          // They mostly wait.
          maxWorkers: 4,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.e2e.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
