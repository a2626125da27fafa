import { describe, expect, test } from 'vitest';
import { providerDefinitionSchema } from '../registry.ts';

const parse = (changes: object) =>
  providerDefinitionSchema.safeParse({ type: 'docker', ...changes });
const certificates = { caFile: '/ca.pem', certFile: '/cert.pem', keyFile: '/key.pem' };

describe('the definition of a docker provider', () => {
  test('needs nothing but its type', () => {
    expect(parse({}).data).toEqual({
      type: 'docker',
      engine: { socket: '/var/run/docker.sock' },
      maxInstances: 20,
      image: 'ghcr.io/actions/actions-runner:latest',
      allowedImages: [],
      command: ['/home/runner/run.sh'],
      env: {},
      network: 'bridge',
      binds: [],
      limits: {},
      maxima: {},
      allowedLabels: [],
      registries: {},
      pullPolicy: 'missing',
      pullTimeoutMs: 600_000,
      startTimeoutMs: 60_000,
      stopTimeoutMs: 10_000,
    });
  });

  test.each([
    { engine: { socket: '/run/user/1000/docker.sock' } },
    { engine: { url: 'https://build-1:2376', ...certificates } },
    { engine: { url: 'https://build-1:2376' } },
    { engine: { url: 'http://127.0.0.1:2375' } },
    { engine: { url: 'http://[::1]:2375' } },
    { engine: { url: 'http://build-1:2375', allowPlainHttp: true } },
    { dind: {} },
  ])('may be %j', (changes) => {
    expect(parse(changes).error).toBeUndefined();
  });

  test.each([
    [{ engine: { url: 'http://build-1:2375' } }, 'plain http:// gives the engine to everybody'],
    [{ engine: { url: 'http://127.0.0.1.example:2375' } }, 'plain http://'],
    [{ engine: { url: 'http://127.0.0.1:2375', ...certificates } }, 'must be https://'],
    [{ engine: { url: 'https://build-1', certFile: '/cert.pem' } }, 'belong together'],
    [{ engine: { socket: 'docker.sock' } }, 'must be an absolute path'],
    [{ limits: { cpus: 3 }, maxima: { cpus: 2 } }, 'is above maxima.cpus'],
    [{ binds: [{ source: 'here', target: '/there' }] }, 'must be an absolute path'],
    [{ image: '-v /:/host' }, 'is not the name of an image'],
    [{ privileged: true }, 'Unrecognized key'],
  ])('may not be %j', (changes, text) => {
    expect(parse(changes).error?.message).toContain(text);
  });
});
