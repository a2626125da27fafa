import { startTestNats, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { identitySubject } from '../contracts/index.ts';
import { takeIdentity } from './identity.ts';

let server: TestNats;
beforeAll(async () => {
  server = await startTestNats({ withTopology: false });
});
afterAll(() => server[Symbol.asyncDispose]());

describe('takeIdentity', () => {
  test('is refused while another living process of the service has it', async () => {
    const [first, second] = [await server.connect('listener'), await server.connect('listener')];
    await takeIdentity(first, 'listener', 'refused');

    const taking = takeIdentity(second, 'listener', 'refused');

    await expect(taking).rejects.toMatchObject({ code: 'config' });
    await expect(taking).rejects.toThrow(
      'another living listener uses the identity "refused": give each process its own BATON_INSTANCE',
    );
  });

  test('costs one round trip when nobody has it, also right after the end of who had it', async () => {
    const first = await server.connect('listener');
    await takeIdentity(first, 'listener', 'ended');
    await first.connection.close();
    const startedAt = performance.now();

    await takeIdentity(await server.connect('listener'), 'listener', 'ended');

    expect(performance.now() - startedAt).toBeLessThan(400);
  });

  test('is the service’s own: a provisioner of the same name is no obstacle', async () => {
    await takeIdentity(await server.connect('provisioner'), 'provisioner', 'host');

    await takeIdentity(await server.connect('listener'), 'listener', 'host');
  });

  test('one that does not answer in time is no obstacle', async () => {
    const { connection } = await server.connect('listener');
    connection.subscribe(identitySubject('listener', 'frozen'));
    await connection.flush();

    await takeIdentity(await server.connect('listener'), 'listener', 'frozen');
  });
});
