import { errorText } from '@baton/shared/errors';
import { eventually, seedsOf } from '@baton/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ownershipViolations } from './testing/ownership-books.ts';
import { badTimes, type Step, suffer } from './testing/ownership-faults.ts';
import { OwnershipWorld, ttlMs } from './testing/ownership-world.ts';

/**
 * BATON_OWNERSHIP_SEEDS runs other seeds: "17" repeats one, "1-50" runs many. A failure names its
 * seed and what happened.
 */
const seeds = seedsOf('BATON_OWNERSHIP_SEEDS', '1-3');

/** Nine processes start at a time, on a machine that may have much else to do. */
const start = { timeoutMs: 60_000, everyMs: 50 };
/**
 * A request that was under way when the faults ended may take 2 s to fail, a claim is retried, and a
 * killed process starts again.
 */
const recovery = { timeoutMs: ttlMs + 14_000, everyMs: 50 };

describe('three processes that contend for a scale set while everything fails', () => {
  test.concurrent.each(seeds)(
    'act one after another, lose no fact and find their way back (seed %i)',
    async (seed) => {
      const property = fc.asyncProperty(badTimes, expectOwnership);
      await fc.assert(property, { seed, numRuns: 1, endOnFailure: true });
    },
    150_000,
  );
});

async function expectOwnership(steps: Step[]): Promise<void> {
  await using world = await OwnershipWorld.start(3);
  try {
    await expectProgress(world, start);
    await suffer(world, steps);
    await expectProgress(world, recovery);
    expect(ownershipViolations(await world.books())).toEqual([]);
  } catch (error) {
    const said = world.contenders.map((contender) => contender.said).join('\n');
    throw new Error(`${errorText(error)}\n${said}`, { cause: error });
  }
}

/** Somebody holds the scale set: messages are being deleted. */
async function expectProgress(world: OwnershipWorld, patience: typeof start): Promise<void> {
  const before = await world.progress();
  await eventually(async () => {
    expect(await world.progress()).toBeGreaterThanOrEqual(before + 3);
  }, patience);
}
