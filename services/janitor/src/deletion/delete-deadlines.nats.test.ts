import type { Mark, Runner } from '@baton/shared/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Bench, type Janitor } from '../testing/bench.ts';
import { WatchedProvider } from '../testing/watched-provider.ts';
import { outageDeadlineMs } from './core/judge-refusal.ts';

let bench: Bench;
let provider: WatchedProvider;
let janitor: Janitor;

beforeAll(async () => {
  bench = await Bench.start();
  provider = new WatchedProvider(bench.provider);
  janitor = await bench.janitor(provider);
});
afterEach(async () => {
  await bench.sim.control.clearFaults();
  provider.hides = false;
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const hourMs = 3_600_000;
const minuteMs = 60_000;

/** A runner with this mark, made now. */
async function marked(name: string, mark: Pick<Mark, 'reason' | 'gate'>): Promise<Runner> {
  const runner = await bench.running(await bench.register(name), mark.gate);
  const at = new Date(bench.clock.now()).toISOString();
  return await bench.rewrite({ ...runner, mark: { ...mark, by: 'provisioner p-0', at } });
}

describe('a registration that GitHub refuses to remove for ever', () => {
  test('is left to GitHub an hour after the instance was deleted, and the record goes', async () => {
    const runner = await marked('refused', { reason: 'exited', gate: 'none' });
    await bench.refuse('refused');

    await bench.delete(janitor, runner);
    const owed = await bench.read(runner);
    await bench.retry(janitor, runner, hourMs - 1);
    const late = await bench.read(runner);
    await bench.clock.advance(1);
    await bench.delete(janitor, runner);

    expect(owed?.deletion).toMatchObject({ instanceDeleted: true, deregistered: false });
    expect(late?.deletion?.attempts).toBeGreaterThan(10);
    expect(await bench.read(runner)).toBeUndefined();
    expect(await bench.isRegistered(runner)).toBe(true);
    const [event] = await bench.told(runner);
    expect(event).toMatchObject({
      type: 'runner.deleted',
      reason: 'exited',
      by: 'provisioner p-0',
      carriedOutBy: `janitor ${janitor.instance}`,
      gate: 'none',
      markedForMs: hourMs,
    });
    expect(event?.text).toContain('left to GitHub and to the sweep orphan-registrations');
  });

  test('is left to GitHub when the scale set and its credential are gone', async () => {
    const runner = await marked('no-credential', { reason: 'exited', gate: 'none' });
    const orphan = await bench.rewrite({ ...runner, scaleSetId: 'deleted-set' });

    await bench.delete(janitor, orphan);
    const owed = await bench.read(orphan);
    await bench.retry(janitor, orphan, hourMs);

    expect(owed?.deletion?.lastError).toContain('deleted-set has no spec');
    expect(await bench.hasInstance(orphan)).toBe(false);
    expect(await bench.read(orphan)).toBeUndefined();
  });

  test('stays owed through an outage of hours, and is paid when GitHub is back', async () => {
    const runner = await marked('outage-of-hours', { reason: 'exited', gate: 'none' });
    await bench.sim.control.outage(600_000);

    await bench.delete(janitor, runner);
    await bench.retry(janitor, runner, 3 * hourMs);
    const owed = await bench.read(runner);
    await bench.sim.control.clearFaults();
    await bench.retry(janitor, runner, 6 * minuteMs);

    expect(owed?.deletion).toMatchObject({ instanceDeleted: true, deregistered: false });
    expect(await bench.read(runner)).toBeUndefined();
    expect(await bench.isRegistered(runner)).toBe(false);
  });

  test('is owed for a day at the most', { timeout: 60_000 }, async () => {
    const runner = await marked('outage-of-a-day', { reason: 'exited', gate: 'none' });
    await bench.sim.control.outage(600_000);

    await bench.delete(janitor, runner);
    await bench.retry(janitor, runner, outageDeadlineMs - 1);
    const owed = await bench.read(runner);
    await bench.clock.advance(1);
    await bench.delete(janitor, runner);

    expect(owed?.deletion?.instanceDeleted).toBe(true);
    expect(await bench.read(runner)).toBeUndefined();
  });
});

describe('a lost runner that GitHub believes busy', () => {
  test('is given up after 15 minutes without its instance being deleted, and then its registration', async () => {
    const runner = await marked('lost-unlisted', { reason: 'lost', gate: 'github' });
    await bench.refuse('lost-unlisted');
    provider.hides = true;

    await bench.delete(janitor, runner);
    await bench.retry(janitor, runner, 15 * minuteMs - 1);
    const waiting = await bench.read(runner);
    await bench.retry(janitor, runner, 1);
    const givenUp = await bench.read(runner);
    await bench.retry(janitor, runner, hourMs);

    expect(waiting?.deletion?.instanceDeleted).toBe(false);
    expect(givenUp?.deletion).toMatchObject({ instanceDeleted: true, deregistered: false });
    expect(await bench.read(runner)).toBeUndefined();
    expect(provider.deleted).not.toContain(runner.instanceId);
    expect(await bench.hasInstance(runner)).toBe(true);
  });

  test('stays when its provider lists it after 15 minutes, and says why', async () => {
    const runner = await marked('lost-listed', { reason: 'lost', gate: 'github' });
    await bench.refuse('lost-listed');

    await bench.delete(janitor, runner);
    await bench.retry(janitor, runner, 15 * minuteMs);

    const kept = await bench.read(runner);
    expect(kept).toMatchObject({
      state: 'busy',
      kept: { reason: 'lost', text: 'its provider lists it, and GitHub says it is busy' },
    });
    expect(kept).not.toHaveProperty('mark');
    expect(await bench.hasInstance(runner)).toBe(true);
    expect(await bench.events(runner)).toEqual(['runner.kept']);
  });

  test('waits while its provider cannot be asked', async () => {
    const runner = await marked('lost-unasked', { reason: 'lost', gate: 'github' });
    await bench.refuse('lost-unasked');
    const gone = { ...runner, provider: 'elsewhere' };
    await bench.rewrite(gone);

    await bench.delete(janitor, gone);
    await bench.retry(janitor, gone, hourMs);

    const waiting = await bench.read(gone);
    expect(waiting).toMatchObject({ state: 'deleting', deletion: { instanceDeleted: false } });
    expect(waiting?.deletion?.lastError).toContain('"elsewhere"');
  });
});
