import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestNats } from '../testing/setup.ts';

let nats: Awaited<ReturnType<typeof startTestNats>>;

beforeEach(async () => {
  nats = await startTestNats();
});
afterEach(async () => {
  await nats.stop();
});

test('apply makes everything, the second time nothing, and diff then finds nothing', async () => {
  const before = await nats.run('topology diff -o json');
  const first = await nats.run('topology apply');
  const second = await nats.run('topology apply');
  const after = await nats.run('topology diff -o json');

  expect(before.code).toBe(1);
  expect(before.json()).toContainEqual({
    kind: 'bucket',
    name: 'baton-specs',
    problem: 'missing',
  });
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toContain('stream BATON_EVENTS created\n');
  expect(second).toMatchObject({ code: 0, stdout: 'topology unchanged\n' });
  expect(after).toMatchObject({ code: 0, stdout: '[]\n' });
});

test('a changed lease TTL is a difference, and is applied', async () => {
  await nats.run('topology apply');
  const env = { BATON_LEASE_TTL_MS: '20000' };

  const diff = await nats.run('topology diff', { env });
  const applied = await nats.run('topology apply', { env });

  expect(diff).toMatchObject({ code: 1 });
  expect(diff.stdout).toContain('baton-leases: ttl is');
  expect(applied.stdout).toContain('bucket baton-leases updated: ttl is 10000000000');
  expect(await nats.run('topology diff', { env })).toMatchObject({ code: 0 });
});

test('another installation is refused, before anything is changed', async () => {
  await nats.run('topology apply');
  const env = { BATON_INSTALLATION_ID: 'other', BATON_LEASE_TTL_MS: '4000' };

  const applied = await nats.run('topology apply', { env });

  expect(applied).toMatchObject({ code: 78 });
  expect(applied.stderr).toContain('belong to installation "test"');
  expect(await nats.run('topology diff')).toMatchObject({ code: 0 });
});

test('without it, other commands say what to do', async () => {
  const { code, stderr } = await nats.run('get scalesets');

  expect(code).toBe(78);
  expect(stderr).toMatch(/^baton: NATS has no bucket .*: run "baton topology apply"\n$/);
});
