import type { QueueMessage } from '@baton/scaleset';
import { openPlans } from '@baton/shared/stores';
import { type Clock, systemClock } from '@baton/shared/time';
import { aPlan, aSpec, type TestNats } from '@baton/testkit';
import { onTestFinished } from 'vitest';
import { CapacityWatch } from '../capacity-watch.ts';
import { LiveSession } from '../live-session.ts';
import { pollLoop } from '../poll-loop.ts';
import { StepWatch } from '../step-watch.ts';
import { Wakeups } from '../wakeups.ts';
import { aGitHub } from './github-bench.ts';
import { aLease, aListener } from './listener-bench.ts';

type GitHubOptions = NonNullable<Parameters<typeof aGitHub>[0]>;

interface LoopOptions extends GitHubOptions {
  /** The loop's clock; GitHub's and the connections' is real. */
  clock?: Clock;
  /** How many runners there is room for; undefined: there is no plan. */
  free?: number | undefined;
  maxRunners?: number;
}

/** A clock that runs, and can be put forward. */
export class ShiftedClock implements Clock {
  #shiftMs = 0;

  shift(ms: number): void {
    this.#shiftMs += ms;
  }

  now(): number {
    return systemClock.now() + this.#shiftMs;
  }

  monotonic(): number {
    return systemClock.monotonic() + this.#shiftMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await systemClock.sleep(ms, signal);
  }
}

/** A loop that polls a scale set with room for ten runners until the test is over. */
export async function aPollLoop(server: TestNats, scaleSetId: string, options: LoopOptions = {}) {
  const { clock = systemClock, maxRunners = 20, free = 10, ...githubOptions } = options;
  const github = await aGitHub(githubOptions);
  const githubScaleSetId = await github.aScaleSet();
  const listener = { ...(await aListener(server)), clock };
  const plans = await openPlans(await server.connect('provisioner'));
  const setFree = async (count: number, alive: string[] = []) =>
    void (await plans.put(
      scaleSetId,
      aPlan({ free: count, alive, freeAt: new Date().toISOString() }),
    ));
  if (!('free' in options && options.free === undefined)) await setFree(free);
  const spec = aSpec({ scaleSetId, declaration: { maxRunners } });
  const capacity = new CapacityWatch({ ...listener, planHints: new Wakeups() }, () => spec);
  await capacity.read();
  const opened = await github.client.createSession(githubScaleSetId, 'baton-test');
  const lease = await aLease(listener, scaleSetId);
  const sessionDeps = { ...listener, client: github.client, lease };
  const session = new LiveSession(sessionDeps, githubScaleSetId, opened);
  const queue = github.queue(githubScaleSetId);
  const stop = new AbortController();
  const came: QueueMessage[] = [];
  const counts = { held: 0, ended: 0 };
  const failures: string[] = [];
  const steps = new StepWatch(clock, 'the poll loop');
  const running = pollLoop(
    { ...listener, queue, session, capacity, steps, stepMs: 90_000 },
    {
      onMessage: async (message) => {
        came.push(message);
        if (message.messageId) await queue.deleteMessage(message.messageId, session.queue);
      },
      heldMs: 30,
      onEmpty: () => undefined,
      onHeld: () => {
        counts.held += 1;
      },
      onPollEnd: () => {
        counts.ended += 1;
      },
      onPollFailure: (kind) => void failures.push(kind),
    },
    stop.signal,
  );
  running.catch(() => undefined);
  onTestFinished(async () => {
    stop.abort();
    await running.catch(() => undefined);
  });
  /** How often a route was asked since the fault was set. */
  const asked = async (id: string) =>
    (await github.control.state()).faults.find((fault) => fault.id === id)?.seen ?? 0;
  /** How long the loop meant to wait after each failure, in ms. */
  const waits = () =>
    listener.lines.flatMap(({ waitMs }) => (typeof waitMs === 'number' ? [waitMs] : []));
  const observed = { came, counts, failures, asked, waits };
  return { ...listener, ...observed, github, session, capacity, setFree, steps, stop, running };
}
