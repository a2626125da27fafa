import { aSpec, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forgetScaleSet, registerScaleSet } from './register-scale-set.ts';
import { aGitHub, type TestGitHub } from './testing/github-bench.ts';
import { aListener, startServer } from './testing/listener-bench.ts';

let server: TestNats;
let ids = 0;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Declared = NonNullable<Parameters<typeof aSpec>[0]>['declaration'];

/** Registers one scale set, `linux`, again and again. */
async function aRegistrar(github: TestGitHub) {
  ids += 1;
  const scaleSetId = `set-${ids}`;
  const { registrations, log } = await aListener(server);
  const lease = new AbortController();
  const deps = { client: github.client, registrations, log, signal: lease.signal };
  const spec = (declaration: Declared = {}) => aSpec({ scaleSetId, declaration });
  return {
    lease,
    register: (declaration?: Declared) => registerScaleSet(deps, spec(declaration)),
    forget: () => forgetScaleSet(deps, spec()),
    record: async () => (await registrations.get(scaleSetId))?.value,
    /** What a listener that died after it had sent its create leaves behind. */
    leaveIntent: () =>
      registrations.create(scaleSetId, {
        v: 1,
        installationId: 'test',
        scaleSetId,
        creating: true,
      }),
  };
}

describe('registerScaleSet', () => {
  test('creates the scale set with its labels, and records that it is ours', async () => {
    const github = await aGitHub();
    const { register, record } = await aRegistrar(github);

    const registered = await register({ labels: ['big', 'linux'] });

    expect(await github.state()).toMatchObject({
      id: registered.scaleSetId,
      runnerGroupId: 1,
      labels: ['linux', 'big'],
    });
    expect(registered).toMatchObject({ runnerGroupId: 1, createdByUs: true });
    expect(await record()).toMatchObject({ github: registered });
    expect(await record()).not.toHaveProperty('creating');
  });

  test('asks GitHub nothing when nothing has changed', async () => {
    const github = await aGitHub();
    const { register } = await aRegistrar(github);
    const first = await register();
    await github.control.addFault({ route: '*', action: { kind: 'status', status: 500 } });

    expect(await register()).toEqual(first);
  });

  test('sends changed labels and a changed group to the same scale set', async () => {
    const github = await aGitHub({ runnerGroups: ['production'] });
    const { register } = await aRegistrar(github);
    const { scaleSetId } = await register();

    const registered = await register({ labels: ['big'], group: 'production' });

    expect(registered).toMatchObject({ scaleSetId, runnerGroupId: 2, createdByUs: true });
    expect(await github.state()).toMatchObject({
      id: scaleSetId,
      runnerGroupId: 2,
      labels: ['linux', 'big'],
    });
  });

  test('refuses a scale set that somebody else created', async () => {
    const github = await aGitHub();
    await github.aScaleSet();
    const { register, record } = await aRegistrar(github);

    const registering = register({ labels: ['big'] });

    await expect(registering).rejects.toMatchObject({ code: 'config' });
    await expect(registering).rejects.toThrow('set "adopt: true" to take it over');
    expect(await record()).toBeUndefined();
    expect((await github.state())?.labels).toEqual(['linux']);
  });

  test('takes it over when told to, and knows that it is not ours', async () => {
    const github = await aGitHub();
    const foreign = await github.aScaleSet();
    const { register } = await aRegistrar(github);

    const registered = await register({ adopt: true, labels: ['big'] });

    expect(registered).toMatchObject({ scaleSetId: foreign, createdByUs: false });
    expect((await github.state())?.labels).toEqual(['linux', 'big']);
  });

  test('knows its own after a crash between the create and the record', async () => {
    const github = await aGitHub();
    const { register, leaveIntent, record } = await aRegistrar(github);
    await leaveIntent();
    const created = await github.aScaleSet();

    const registered = await register({ labels: ['big'] });

    expect(registered).toMatchObject({ scaleSetId: created, createdByUs: true });
    expect((await github.state())?.labels).toEqual(['linux', 'big']);
    expect(await record()).not.toHaveProperty('creating');
  });

  test('knows its own when the answer to the create was lost', async () => {
    const github = await aGitHub();
    const { register } = await aRegistrar(github);
    const action = { kind: 'drop', when: 'mid-body' } as const;
    await github.control.addFault({ route: 'createScaleSet', first: 1, action });

    await expect(register()).rejects.toMatchObject({ code: 'github' });
    const registered = await register();

    expect(registered.createdByUs).toBe(true);
    expect((await github.state())?.id).toBe(registered.scaleSetId);
  });

  test('does not claim one that somebody creates at the same time', async () => {
    const github = await aGitHub();
    const { register, record } = await aRegistrar(github);
    await github.aScaleSet();
    const nothing = { kind: 'status', status: 200, body: '{"count":0,"value":[]}' } as const;
    await github.control.addFault({ route: 'listScaleSets', first: 1, action: nothing });

    await expect(register()).rejects.toMatchObject({ code: 'config' });
    await expect(register()).rejects.toMatchObject({ code: 'config' });

    expect(await record()).not.toHaveProperty('creating');
    expect(await record()).not.toHaveProperty('github');
  });

  test('names the runner group that is missing, and creates nothing', async () => {
    const github = await aGitHub();
    const { register } = await aRegistrar(github);

    const registering = register({ group: 'production' });

    await expect(registering).rejects.toMatchObject({ code: 'config' });
    await expect(registering).rejects.toThrow('runner group "production" does not exist');
    expect(await github.state()).toBeUndefined();
  });

  test('registers anew what was deleted at GitHub and forgotten', async () => {
    const github = await aGitHub();
    const { register, forget } = await aRegistrar(github);
    const before = await register();
    await github.control.deleteScaleSet('linux');

    await forget();
    const after = await register();

    expect(after.scaleSetId).not.toBe(before.scaleSetId);
    expect((await github.state())?.id).toBe(after.scaleSetId);
  });

  test('creates nothing without the lease', async () => {
    const github = await aGitHub();
    const { lease, register } = await aRegistrar(github);
    lease.abort(new Error('lease lost'));

    await expect(register()).rejects.toThrow('lease lost');

    expect(await github.state()).toBeUndefined();
  });
});
