import { openPlans, openSpecs, openStatus } from '@baton/shared/stores';
import { aPlan, aSpec, eventually, startPrivateGitHub, startTestNats } from '@baton/testkit';
import { expect, test } from 'vitest';
import { patient, startListener } from './listener-fixture.ts';

/** A listener process whose GitHub has a private authority, behind a proxy with a login. */
async function startScene(env: Record<string, string>, certificate = {}) {
  await using undo = new AsyncDisposableStack();
  const server = undo.use(await startTestNats());
  const github = undo.use(await startPrivateGitHub({ certificate }));
  const admin = await server.connect('admin');
  const updatedAt = new Date().toISOString();
  const spec = aSpec({ declaration: { configUrl: github.configUrl }, updatedAt });
  await (await openSpecs(admin)).put(spec.scaleSetId, spec);
  const plan = { ...aPlan({ free: 3, freeAt: updatedAt }), scaleSetId: spec.scaleSetId };
  await (await openPlans(admin)).put(spec.scaleSetId, plan);
  const statuses = await openStatus(admin);
  const listener = undo.use(
    startListener('listener-0', {
      ...server.variablesOf('listener'),
      BATON_CREDENTIALS_FILE: github.credentialsFile,
      BATON_CA_FILE: github.caFile,
      HTTPS_PROXY: github.proxyUrl,
      ...env,
    }),
  );
  const owned = undo.move();
  return {
    github,
    listener,
    status: async () => (await statuses.get(spec.scaleSetId))?.value,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('a listener opens, polls and closes its session through the proxy and nothing else', async () => {
  await using scene = await startScene({});
  const { github, listener, status } = scene;

  await eventually(async () => {
    expect((await status())?.state).toBe('polling');
    expect((await status())?.lastPollAt).toBeDefined();
  }, patient);
  const { asked } = github.proxy;
  expect(github.proxy.open).toBeGreaterThan(0);
  listener.signal('SIGTERM');

  expect(await listener.exited()).toBe(0);
  // The host's name leads nowhere but at the proxy.
  expect(new Set(asked.map(({ target }) => target))).toEqual(new Set([`${github.host}:443`]));
  expect(asked.every(({ status: answered }) => answered === 200)).toBe(true);
  expect(listener.stderr).toContain('session closed');
  expect(listener.stderr).not.toContain('proxy-password');
});

test.each([
  [
    'an authority that is not trusted',
    { BATON_CA_FILE: '' },
    {},
    /set BATON_CA_FILE to a PEM file with the certificate of CN=Test Root/,
  ],
  [
    'a chain without its intermediate',
    {},
    { incomplete: true },
    /presents its certificate without those in between/,
  ],
])('%s stands in the status with what to do', async (_what, env, certificate, expected) => {
  await using scene = await startScene(env, certificate);

  await eventually(async () => expect((await scene.status())?.reason).toMatch(expected), patient);
  expect((await scene.status())?.state).not.toBe('polling');
});
