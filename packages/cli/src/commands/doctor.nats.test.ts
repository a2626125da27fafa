import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { at, fileOf, id } from '../testing/builders.ts';
import { startTestNats } from '../testing/setup.ts';

let nats: Awaited<ReturnType<typeof startTestNats>>;

beforeEach(async () => {
  nats = await startTestNats();
});
afterEach(async () => {
  await nats.stop();
});

const schema = z.array(
  z.object({ place: z.string(), check: z.string(), outcome: z.string(), text: z.string() }),
);

/** What the CLI found from its own place. */
async function ownFindings(args = '', env: Record<string, string> = {}) {
  const result = await nats.run(`doctor -o json${args}`, { env });
  const { code, stderr } = result;
  const own = schema.parse(result.json()).filter(({ place }) => place === 'cli');
  return { code, stderr, own, outcome: Object.fromEntries(own.map((f) => [f.check, f.outcome])) };
}

test('from its own place all is well; without services it fails', async () => {
  await nats.run('topology apply');
  await nats.run(`apply -f ${await nats.file(fileOf('linux'))}`);

  const { code, outcome, stderr } = await ownFindings();

  expect(outcome).toEqual({
    configuration: 'ok',
    nats: 'ok',
    topology: 'ok',
    installation: 'ok',
    rights: 'ok',
    clock: 'ok',
    'scale-sets': 'ok',
    capacity: 'warning',
  });
  expect(code).toBe(1);
  expect(stderr).toBe('baton: 3 of 11 checks failed\n');
});

test('capacity that no provisioner has reported for long', async () => {
  await nats.run('topology apply');
  await nats.run(`apply -f ${await nats.file(fileOf('linux'))}`);
  await nats.asService(async ({ plans }) => {
    await plans.put(id, { v: 1, scaleSetId: id, runners: [], free: 6, freeAt: at });
  });

  const { own } = await ownFindings();

  const capacity = own.find(({ check }) => check === 'capacity');
  expect(capacity?.outcome).toBe('failed');
  expect(capacity?.text).toMatch(
    /^no provisioner has reported free capacity for \S+; is one running\? \(linux\)$/,
  );
});

test('a topology that is missing is told whole, and the rest is looked at all the same', async () => {
  const { own, outcome } = await ownFindings();

  expect(own.filter(({ check }) => check === 'topology').length).toBeGreaterThan(10);
  expect(own.find(({ check }) => check === 'topology')?.text).toContain(
    'run "baton topology apply"',
  );
  expect(outcome).toMatchObject({ nats: 'ok', installation: 'failed', rights: 'failed' });
});

test('a lease TTL that is not that of the topology is drift', async () => {
  await nats.run('topology apply');

  const { own } = await ownFindings('', { BATON_LEASE_TTL_MS: '20000' });

  const drift = own.filter(({ outcome }) => outcome === 'failed').map(({ text }) => text);
  expect(drift).toHaveLength(2);
  expect(drift[0]).toMatch(/^ttl is 10000000000, not 20000000000: run "baton topology apply"$/);
});

test('the buckets of another installation are told as such', async () => {
  await nats.run('topology apply');

  const { own } = await ownFindings('', { BATON_INSTALLATION_ID: 'other' });

  const installation = own.find(({ check }) => check === 'installation');
  expect(installation?.outcome).toBe('failed');
  expect(installation?.text).toContain('belong to installation "test", not to "other"');
});

test('without an enabled scale set it warns; one that is asked for and not there fails', async () => {
  await nats.run('topology apply');

  const all = await ownFindings();
  const one = await ownFindings(' --scale-set linux');

  expect(all.outcome['scale-sets']).toBe('warning');
  expect(one.outcome['scale-sets']).toBe('failed');
});

test('configuration that cannot be used is a finding with the names of the variables', async () => {
  const { code, own } = await ownFindings('', { BATON_INSTALLATION_ID: 'NOT OK' });

  expect(code).toBe(1);
  expect(own).toMatchObject([{ check: 'configuration', outcome: 'failed' }]);
  expect(own[0]?.text).toContain('BATON_INSTALLATION_ID');
});

test('a clock that differs from that of nats-server', async () => {
  await nats.run('topology apply');

  const { own } = await ownFindings('', {});
  const shifted = await nats.run('doctor -o json', { clockAheadMs: 90_000 });

  expect(own.find(({ check }) => check === 'clock')?.outcome).toBe('ok');
  const clock = schema.parse(shifted.json()).find(({ check }) => check === 'clock');
  expect(clock?.outcome).toBe('failed');
  expect(clock?.text).toContain('ahead of that of nats-server');
});

test.each(['900ms', '61s', 'soon'])('a timeout of %s is wrong usage', async (given) => {
  expect(await nats.run(`doctor --timeout ${given}`)).toMatchObject({ code: 2 });
});
