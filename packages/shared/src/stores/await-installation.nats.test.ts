import { installationId, startNatsProxy, startTestNats } from '@baton/testkit';
import { expect, test } from 'vitest';
import { buckets } from '../contracts/index.ts';
import { awaitInstallation } from './stores.ts';

test('a process that starts while NATS does not answer asks again', async () => {
  await using server = await startTestNats();
  await using proxy = await startNatsProxy(server.url);
  const nats = await server.connect('provisioner', { url: proxy.url });
  const match = (subject: string) => subject.startsWith(`$JS.API.DIRECT.GET.KV_${buckets.specs}`);

  const verified = awaitInstallation(nats, installationId);
  const goOn = await proxy.holdNext({ when: 'before', match });
  // A request takes 2 s to fail.
  setTimeout(() => goOn('go on'), 2_500);

  await expect(verified).resolves.toBeUndefined();
  await expect(awaitInstallation(nats, 'other')).rejects.toMatchObject({ code: 'config' });
});
