import { describe, expect, test } from 'vitest';
import { type DockerDefinition, dockerDefinitionSchema } from './definition.ts';
import { resolveSettings } from './settings.ts';

const define = (changes: object = {}): DockerDefinition =>
  dockerDefinitionSchema.parse({ type: 'docker', image: 'acme/runner:1', ...changes });

describe('resolveSettings', () => {
  test.each([undefined, null, {}])('takes %j for the operator’s defaults', (settings) => {
    const definition = define({ limits: { cpus: 2 }, maxima: { cpus: 4, memoryMiB: 512 } });

    expect(resolveSettings(definition, settings)).toEqual({
      image: 'acme/runner:1',
      cpus: 2,
      memoryMiB: 512,
      pidsLimit: undefined,
      env: {},
      labels: {},
      dind: false,
    });
  });

  test('takes what the operator allows', () => {
    const definition = define({
      allowedImages: ['acme/*', 'ghcr.io/acme/*:stable'],
      maxima: { cpus: 4 },
      allowedLabels: ['acme.*'],
      dind: {},
    });
    const settings = {
      image: 'ghcr.io/acme/tools:stable',
      cpus: 4,
      memoryMiB: 100,
      pidsLimit: 9,
      env: { STAGE: 'x' },
      labels: { 'acme.team': 'y' },
      dind: true,
    };

    expect(resolveSettings(definition, settings)).toEqual(settings);
    expect(resolveSettings(definition, { image: 'acme/runner:1' }).image).toBe('acme/runner:1');
  });

  test.each([
    [{ image: 'evil/runner:1' }, 'settings.image: evil/runner:1 is not allowed here'],
    [{ image: 'acme/sub/tools' }, 'settings.image: acme/sub/tools is not allowed here'],
    [{ image: 'x acme/tools' }, 'settings.image: is not the name of an image'],
    [{ cpus: 4.5 }, 'settings.cpus: 4.5 is above the maximum of 4'],
    [{ cpus: 0 }, 'settings.cpus: '],
    [{ memoryMiB: 1 }, 'settings.memoryMiB: '],
    [{ pidsLimit: -1 }, 'settings.pidsLimit: '],
    [{ env: { PROXY: 'x' } }, 'settings.env.PROXY: is set by the provider'],
    [{ env: { ACTIONS_RUNNER_INPUT_JITCONFIG: 'x' } }, 'JITCONFIG: is reserved'],
    [{ env: { docker_host: 'tcp://host' } }, 'settings.env.docker_host: is reserved'],
    [{ env: { 'A=B': 'x' } }, 'settings.env.A=B: '],
    [{ labels: { 'ofelia.enabled': 'true' } }, 'settings.labels.ofelia.enabled: is not among'],
    [{ labels: { 'baton.runner-id': 'x' } }, 'settings.labels.baton.runner-id: is not among'],
    [{ dind: true }, 'settings.dind: the provider does not allow it'],
    [{ binds: ['/:/host'] }, 'settings: Unrecognized key: "binds"'],
    [{ privileged: true }, 'settings: Unrecognized key: "privileged"'],
    [{ network: 'host' }, 'settings: Unrecognized key: "network"'],
    ['text', 'settings: '],
  ])('refuses %j', (settings, text) => {
    const definition = define({
      allowedImages: ['acme/*'],
      maxima: { cpus: 4 },
      allowedLabels: ['baton.*'],
      env: { PROXY: 'http://proxy' },
    });

    expect(() => resolveSettings(definition, settings)).toThrow(text);
    expect(() => resolveSettings(definition, settings)).toThrow(
      expect.objectContaining({ class: 'invalid-settings' }),
    );
  });

  test('tells everything that is wrong at once', () => {
    const attempt = () => resolveSettings(define(), { image: 'x', dind: true, labels: { a: '' } });

    expect(attempt).toThrow(/settings\.image.*settings\.dind.*settings\.labels\.a/);
  });
});
