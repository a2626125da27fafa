import { deadSubject, type Runner, runnerKey, runnerStates } from '@baton/shared/contracts';
import { Publisher } from '@baton/shared/messaging';
import { copyRunners, openRunners, type RunnerStore } from '@baton/shared/stores';
import { type NumberSource, silentLogger } from '@baton/shared/telemetry';
import { aRunner, FakeClock, startTestNats, type TestNats } from '@baton/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JanitorGauges } from './gauges.ts';

let server: TestNats;
let records: RunnerStore;
let gauges: JanitorGauges;
const clock = new FakeClock();

beforeEach(async () => {
  server = await startTestNats();
  records = await openRunners(await server.connect('admin'));
  // With a janitor's rights and no others.
  const nats = await server.connect('janitor');
  gauges = new JanitorGauges({ nats, copy: copyRunners(nats, await openRunners(nats)), clock });
});
afterEach(() => server[Symbol.asyncDispose]());

function read(name: string) {
  const source = gauges.sources.find((one: NumberSource) => one.name === name);
  return [...(source?.read() ?? [])];
}

async function record(runnerId: string, part: Partial<Runner> = {}): Promise<void> {
  const runner = aRunner({ runnerId, ...part });
  await records.put(runnerKey(runner.scaleSetId, runnerId), runner);
}

function agedMark(ageMs: number): Partial<Runner> {
  const at = new Date(clock.now() - ageMs).toISOString();
  return { state: 'marked', mark: { reason: 'surplus', gate: 'none', by: 'p', at } };
}

describe('the gauges of a janitor', () => {
  test('count runners by state, also those that there are none of', async () => {
    await record('r1', { state: 'busy' });
    await record('r2', { state: 'busy' });
    await record('r3', { state: 'lost' });

    await gauges.look();

    const states = read('baton_runners');
    expect(states.map(({ labels }) => labels.state)).toEqual(runnerStates);
    expect(states.filter(({ value }) => value > 0)).toEqual([
      { value: 2, labels: { state: 'busy' } },
      { value: 1, labels: { state: 'lost' } },
    ]);
  });

  test('say how old the oldest mark is when they are read, and 0 when there is none', async () => {
    await gauges.look();
    const none = read('baton_oldest_marked_seconds');
    await record('r1', agedMark(20_000));
    await record('r2', agedMark(90_000));
    await gauges.look();
    await clock.advance(5_000);

    expect(none).toEqual([{ value: 0, labels: {} }]);
    expect(read('baton_oldest_marked_seconds')).toEqual([{ value: 95, labels: {} }]);
  });

  test('count what is owed to GitHub: the instance is gone, the registration is not', async () => {
    const deletion = { attempts: 1, deregistered: false, instanceDeleted: false };
    await record('r1', { ...agedMark(1), deletion });
    await record('r2', { ...agedMark(1), deletion: { ...deletion, instanceDeleted: true } });

    await gauges.look();

    expect(read('baton_owed_deregistrations')).toEqual([{ value: 1, labels: {} }]);
  });

  test('count dead letters by service', async () => {
    for (const service of ['listener', 'janitor', 'janitor']) {
      const publisher = new Publisher(await server.connect('admin'), silentLogger());
      await publisher.publishOnce(deadSubject(service, 'message'), { any: 'thing' });
    }

    await gauges.look();

    expect(read('baton_dead_letters')).toEqual([
      { value: 1, labels: { service: 'listener' } },
      { value: 0, labels: { service: 'provisioner' } },
      { value: 2, labels: { service: 'janitor' } },
    ]);
  });

  test('say how far each consumer is behind', async () => {
    const admin = await server.connect('admin');
    const publisher = new Publisher(admin, silentLogger());
    for (let count = 0; count < 3; count += 1) {
      await publisher.publishOnce('baton.v1.command.delete.linux', { count });
    }
    const consumer = await admin.connection
      .jetstream()
      .consumers.get('BATON_COMMANDS', 'delete-commands');
    const taken = await consumer.next();

    await gauges.look();
    const ofDeletes = (name: string) =>
      read(name).find(({ labels }) => labels.consumer === 'delete-commands')?.value;

    expect(ofDeletes('baton_consumer_pending')).toBe(2);
    expect(ofDeletes('baton_consumer_ack_pending')).toBe(1);
    expect(ofDeletes('baton_consumer_redelivered')).toBe(0);
    expect(read('baton_consumer_pending')).toHaveLength(6);
    taken?.ack();
  });

  test('are absent before the first look, and while NATS does not answer', async () => {
    const before = gauges.sources.map(({ name }) => read(name).length);
    await gauges.look();
    await server.kill();
    const failed = gauges.look();

    await expect(failed).rejects.toMatchObject({ code: 'nats' });
    expect(before.every((count) => count === 0)).toBe(true);
    expect(gauges.sources.map(({ name }) => read(name).length)).toEqual(before);
    await server.restart();
  });
});
