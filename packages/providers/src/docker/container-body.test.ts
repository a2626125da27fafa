import { describe, expect, test } from 'vitest';
import { aRequest } from '../testing/a-request.ts';
import { daemonBody, runnerBody } from './container-body.ts';
import { dockerDefinitionSchema } from './definition.ts';
import { resolveSettings } from './settings.ts';

const definition = dockerDefinitionSchema.parse({
  type: 'docker',
  network: 'ci',
  runtime: 'runsc',
  env: { OURS: '1' },
  limits: { cpus: 1.5, memoryMiB: 512, pidsLimit: 100 },
  dind: { env: { MIRROR: 'https://mirror' } },
});
const settings = resolveSettings(definition, { dind: true, env: { THEIRS: '2' } });
const plan = { request: aRequest(), definition, settings };
const limits = { NanoCpus: 1.5e9, Memory: 2 ** 29, MemorySwap: 2 ** 29, PidsLimit: 100 };

describe('a runner with a daemon of its own', () => {
  test('is neither privileged nor in a network of its own', () => {
    const body = runnerBody(plan);

    expect(body).toMatchObject({
      Env: [
        'THEIRS=2',
        'DOCKER_HOST=unix:///run/runner-docker/docker.sock',
        'OURS=1',
        'ACTIONS_RUNNER_INPUT_JITCONFIG=run',
      ],
      Volumes: { '/run/runner-docker': {}, '/home/runner/_work': {}, '/home/runner/externals': {} },
      HostConfig: { ...limits, NetworkMode: 'container:baton-runner-1-docker', Runtime: 'runsc' },
    });
    expect(body.HostConfig).not.toHaveProperty('Privileged');
  });

  test('has a privileged daemon with the same limits, its volumes, and no JIT config', () => {
    const { dind } = definition;
    const body = dind && daemonBody(plan, dind);

    expect(body).toMatchObject({
      Image: 'docker:28-dind',
      Env: ['MIRROR=https://mirror'],
      HostConfig: {
        ...limits,
        NetworkMode: 'ci',
        Privileged: true,
        VolumesFrom: ['baton-runner-1'],
      },
      Healthcheck: { Test: expect.arrayContaining(['CMD', 'docker']) },
    });
    expect(JSON.stringify(body)).not.toContain('JITCONFIG');
  });
});
