import { scaleSetIdOf } from '@baton/shared/contracts';
import { openSessions, openStatus } from '@baton/shared/stores';
import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import { observe } from './health-fixture.ts';
import { atRest, patient, type Scene, startScene } from './listener-fixture.ts';

const scaleSetId = scaleSetIdOf('linux');
const set = `scale_set="${scaleSetId}"`;

test('a session that is replaced again and again is told by the metrics alone', async () => {
  await using scene = await startScene({ env: { BATON_SESSION_REPLACE_MAX_MS: '250' } });
  const { metrics, alive, ready } = await observe(scene.listener('listener-0'));
  await atRest(scene);
  await scene.sim.addJobs({ scaleSet: 'linux', count: 2 });
  await eventually(
    async () =>
      expect((await metrics()).get(`baton_unserved_assigned_age_seconds{${set}}`)).toBeGreaterThan(
        0,
      ),
    patient,
  );
  await atRest(scene);

  for (let times = 0; times < 6; times += 1) await replaceSession(scene);

  await eventually(async () => {
    const told = await metrics();
    expect(told.get(`baton_sessions_replaced_total{${set},reason="gone"}`)).toBe(6);
    expect(told.get(`baton_scale_set_condition{${set},condition="sessions-replaced"}`)).toBe(1);
    expect(told.get(`baton_scale_set_condition{${set},condition="conflicted"}`)).toBe(0);
  }, patient);
  const told = await metrics();
  const sessionAge = told.get(`baton_session_age_seconds{${set}}`) ?? Infinity;
  // Each session is young, and none of them has had a poll answered.
  expect(told.get(`baton_last_poll_age_seconds{${set}}`)).toBeGreaterThan(sessionAge);
  expect(told.get(`baton_unserved_assigned_age_seconds{${set}}`)).toBeGreaterThan(sessionAge);
  expect(told.get(`baton_sessions_opened_total{${set},how="created"}`)).toBe(7);
  expect([await alive(), (await ready()).status]).toEqual([200, 200]);
});

test('a conflict is a wait: alive, ready, and told with its owner and its attempts', async () => {
  await using scene = await startScene({
    env: {
      BATON_SESSION_CONFLICT_BASE_MS: '250',
      BATON_SESSION_CONFLICT_MAX_MS: '500',
      BATON_SESSION_CONFLICT_EARLY_MS: '1000',
      BATON_SESSION_CONFLICT_LATE_MAX_MS: '1000',
    },
  });
  const status = await statusOf(scene);
  await leaveForeignSession(scene);
  const { metrics, alive, isReadyBut } = await observe(scene.listener('listener-1'));
  await eventually(
    async () =>
      expect(
        (await metrics()).get(`baton_scale_set_condition{${set},condition="conflicted"}`),
      ).toBe(1),
    patient,
  );

  const told = await metrics();
  expect(told.get(`baton_scale_set_state{${set},state="conflicted"}`)).toBe(1);
  expect(told.get(`baton_session_conflicts_total{${set}}`)).toBeGreaterThan(1);
  expect(told.get(`baton_last_poll_age_seconds{${set}}`)).toBeGreaterThan(1);
  expect(told.has(`baton_session_age_seconds{${set}}`)).toBe(false);
  expect(await alive()).toBe(200);
  await isReadyBut();
  const record = await eventually(async () => {
    const now = await status();
    expect(now).toMatchObject({ state: 'conflicted', owner: 'listener-1' });
    expect(now?.conflict?.attempts).toBeGreaterThan(1);
    return now;
  });
  expect(record?.reason).toContain('already has an active session');
  expect(record?.conflict?.ownerText).toContain('listener-0');
  expect(record?.conflict?.nextAttemptAt).toBeDefined();
  expect(record?.conditions.map(({ type }) => type)).toEqual(['conflicted']);
  expect(record?.conditions[0]?.text).toContain('stop the other client');
  await scene.sim.releaseSession('linux');
  await eventually(
    async () =>
      expect(await status()).toMatchObject({
        state: 'polling',
        opened: 'waited out',
        conditions: [],
      }),
    patient,
  );
  expect((await status())?.openedAt).toBeDefined();
  expect(await status()).not.toHaveProperty('conflict');
});

test('without NATS it is alive and says why it is not ready, and is ready again afterwards', async () => {
  await using scene = await startScene();
  const { alive, isReadyBut } = await observe(scene.listener('listener-0'));
  await atRest(scene);
  await isReadyBut();

  await scene.server.kill();
  const reasons = await isReadyBut('nats');

  expect(reasons.nats).toContain('NATS');
  expect(await alive()).toBe(200);
  await scene.server.startAgain();
  await isReadyBut();
});

test('while GitHub answers nothing but 503 it is alive and ready, and the poll age grows', async () => {
  await using scene = await startScene();
  const { metrics, alive, isReadyBut } = await observe(scene.listener('listener-0'));
  await atRest(scene);
  const before = await scene.session();

  await scene.sim.outage(60_000);
  await eventually(
    async () =>
      expect(
        (await metrics()).get(`baton_poll_failures_total{${set},kind="unavailable"}`),
      ).toBeGreaterThan(2),
    patient,
  );
  const early = (await metrics()).get(`baton_last_poll_age_seconds{${set}}`) ?? Infinity;

  expect(await alive()).toBe(200);
  await isReadyBut();
  await eventually(
    async () =>
      expect((await metrics()).get(`baton_last_poll_age_seconds{${set}}`)).toBeGreaterThan(
        early + 1,
      ),
    patient,
  );
  await scene.sim.clearFaults();
  await eventually(async () => expect((await scene.session())?.held).toBe(true), patient);
  expect((await scene.session())?.id).toBe(before?.id);
});

test('a credential that is refused makes it unready with the reason, and never dead', async () => {
  await using scene = await startScene();
  const action = { kind: 'status', status: 401, body: '{"message":"Bad credentials"}' } as const;
  await scene.sim.addFault({ id: 'refused', route: 'createRegistrationToken', action });
  const { metrics, alive, isReadyBut } = await observe(scene.listener('listener-0'));

  const reasons = await isReadyBut('scale sets');

  expect(reasons['scale sets']).toMatch(
    /^none of 1 scale sets can be served; linux-\w+: .*refused the personal access token.*check that/,
  );
  expect(await alive()).toBe(200);
  expect(
    (await metrics()).get(`baton_scale_set_condition{${set},condition="credential-refused"}`),
  ).toBe(1);
  await scene.sim.clearFaults('refused');
  await isReadyBut();
  await atRest(scene);
  expect(
    (await metrics()).get(`baton_scale_set_condition{${set},condition="credential-refused"}`),
  ).toBe(0);
});

/** GitHub evicts the session; resolves when another one is polled. */
async function replaceSession(scene: Scene): Promise<void> {
  const before = (await scene.session())?.id;
  await scene.sim.evictSession('linux');
  await eventually(async () => {
    const now = await scene.session();
    expect(now?.id).not.toBe(before);
    expect(now?.held).toBe(true);
  }, patient);
}

/** A session of a listener that was killed, which no record names. */
async function leaveForeignSession(scene: Scene): Promise<void> {
  const first = scene.listener('listener-0');
  await atRest(scene);
  first.signal('SIGKILL');
  await first.exited();
  const sessions = await openSessions(await scene.server.connect('admin'));
  const record = await sessions.get(scene.scaleSetId);
  if (!record) throw new Error('there is no session record to wipe');
  await sessions.delete(scene.scaleSetId, record.revision);
}

async function statusOf(scene: Scene) {
  const statuses = await openStatus(await scene.server.connect('admin'));
  return async () => (await statuses.get(scene.scaleSetId))?.value;
}
