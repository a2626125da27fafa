import { systemClock } from '@baton/shared/time';
import type { PublishHook } from '@baton/testkit';
import fc from 'fast-check';
import type { Contender, OwnershipWorld } from './ownership-world.ts';

/** What happens to one contender for a while. */
type Blow = 'freeze' | 'kill' | 'partition' | 'reset' | 'delay';

/** Where a contender is when it is struck: see `subjects`. */
type Point = 'lease' | 'record' | 'fact';

/** One thing that goes wrong. `who` counts from the contender that holds the scale set. */
type Fault =
  | { kind: 'strike'; who: number; blow: Blow; forMs: number }
  /** The same, at its next publish of that kind: before it, or before it learns how it ended. */
  | {
      kind: 'strike at';
      who: number;
      blow: Exclude<Blow, 'delay'>;
      forMs: number;
      point: Point;
      when: PublishHook['when'];
    }
  /** nats-server is killed, and comes back after so long. */
  | { kind: 'server'; forMs: number };

export interface Step {
  fault: Fault;
  /** When the next step begins; the fault may last longer. */
  pauseMs: number;
}

const subjects: Record<Point, RegExp> = {
  lease: /^\$KV\.baton-leases\./,
  record: /^\$KV\.baton-sessions\./,
  fact: /^baton\.v1\.event\./,
};

/** Longer than a TTL, or shorter. */
const forMs = fc.integer({ min: 100, max: 2_500 });
/** The holder twice as often as each of the others. */
const who = fc.constantFrom(0, 0, 1, 2);

/** Bad times: sequences of faults that overlap. */
export const badTimes: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    pauseMs: fc.integer({ min: 100, max: 1_200 }),
    fault: fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('strike' as const),
          who,
          forMs,
          blow: fc.constantFrom<Blow>('freeze', 'kill', 'partition', 'reset', 'delay'),
        }),
      },
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant('strike at' as const),
          who,
          forMs,
          blow: fc.constantFrom<Exclude<Blow, 'delay'>>('freeze', 'kill', 'partition', 'reset'),
          point: fc.constantFrom<Point>('lease', 'record', 'fact'),
          when: fc.constantFrom<PublishHook['when']>('before', 'after-reply-withheld'),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('server' as const), forMs }) },
    ),
  }),
  { minLength: 7, maxLength: 9 },
);

/** Lets it all happen; resolves when every fault is over. */
export async function suffer(world: OwnershipWorld, steps: readonly Step[]): Promise<void> {
  const faults: Promise<void>[] = [];
  for (const { fault, pauseMs } of steps) {
    faults.push(happen(world, fault));
    await systemClock.sleep(pauseMs);
  }
  await Promise.all(faults);
}

async function happen(world: OwnershipWorld, fault: Fault): Promise<void> {
  if (fault.kind === 'server') {
    await world.stopServer(fault.forMs);
    return;
  }
  const contender = (await world.fromHolder())[fault.who];
  if (!contender) return;
  if (fault.kind === 'strike') await strike(contender, fault.blow, fault.forMs);
  else await strikeAt(contender, fault);
}

async function strike(contender: Contender, blow: Blow, ms: number): Promise<void> {
  const { proxy } = contender;
  switch (blow) {
    case 'freeze':
      contender.freeze();
      await systemClock.sleep(ms);
      contender.thaw();
      return;
    case 'kill':
      await contender.restart();
      return;
    case 'partition':
      proxy.setMode({ kind: 'partition' });
      await systemClock.sleep(ms);
      proxy.setMode({ kind: 'pass' });
      return;
    case 'delay':
      proxy.setMode({ kind: 'delay', delayMs: ms / 10 });
      await systemClock.sleep(ms);
      proxy.setMode({ kind: 'pass' });
      return;
    case 'reset':
      proxy.reset();
  }
}

/** A contender that never comes to the point is left in peace. */
async function strikeAt(
  contender: Contender,
  { point, when, blow, forMs: ms }: Extract<Fault, { kind: 'strike at' }>,
): Promise<void> {
  const { proxy } = contender;
  const reached = Promise.withResolvers<void>();
  const remove = proxy.onPublish({
    match: (subject) => subjects[point].test(subject),
    when,
    hook: async () => {
      remove();
      await strike(contender, blow, ms).finally(reached.resolve);
      return blow === 'kill' ? 'cut' : 'go on';
    },
  });
  await Promise.race([reached.promise, systemClock.sleep(3_000)]);
  remove();
}
