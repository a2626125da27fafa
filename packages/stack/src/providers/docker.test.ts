import { describe, expect, test } from 'vitest';
import { engineAddress } from './docker.ts';

const certificates = (folder: string) => ({
  caFile: `${folder}/ca.pem`,
  certFile: `${folder}/cert.pem`,
  keyFile: `${folder}/key.pem`,
});

describe('engineAddress reads the variables of the docker program', () => {
  test.each([
    [{}, { socket: '/var/run/docker.sock' }],
    [{ DOCKER_HOST: '' }, { socket: '/var/run/docker.sock' }],
    [{ DOCKER_HOST: 'unix:///run/x.sock' }, { socket: '/run/x.sock' }],
    [{ DOCKER_HOST: 'tcp://127.0.0.1:2375' }, { url: 'http://127.0.0.1:2375' }],
    [
      { DOCKER_HOST: 'tcp://build:2376/', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' },
      { url: 'https://build:2376', ...certificates('/certs') },
    ],
    [
      { DOCKER_HOST: 'tcp://build:2376', DOCKER_TLS_VERIFY: '1', HOME: '/home/me' },
      { url: 'https://build:2376', ...certificates('/home/me/.docker') },
    ],
  ])('%j', (env, address) => {
    expect(engineAddress(env)).toMatchObject(address);
  });

  test.each(['ssh://me@build', 'build:2375', 'tcp://'])('and refuses %s', (given) => {
    expect(() => engineAddress({ DOCKER_HOST: given })).toThrow(`DOCKER_HOST is ${given}`);
  });
});
