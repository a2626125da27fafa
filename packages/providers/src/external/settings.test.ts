import { describe, expect, test } from 'vitest';
import { externalDefinitionSchema } from './definition.ts';
import { instanceSettings } from './settings.ts';

const given = { type: 'external', executable: '/opt/p', configFile: '/etc/p.toml' };
const aDefinition = (part: object = {}) => externalDefinitionSchema.parse({ ...given, ...part });

describe('instanceSettings', () => {
  test('takes what the scale set says before what the provider says', () => {
    const definition = aDefinition({ defaults: { image: 'a', flavor: 'small', osArch: 'arm64' } });

    expect(instanceSettings({ image: 'b' }, definition)).toEqual({
      image: 'b',
      flavor: 'small',
      osType: 'linux',
      osArch: 'arm64',
      runnerGroup: 'default',
      extraSpecs: {},
    });
  });

  test.each([
    [{ imgae: 'a' }, 'imgae'],
    [{ image: 'a' }, 'image and flavor'],
    [{ image: 'a', flavor: 'b', extraSpecs: {} }, 'extraSpecs: the provider'],
    [{ image: 'a', flavor: 'b', osType: 'beos' }, 'osType'],
    ['text', 'object'],
  ])('refuses %j', (settings, problem) => {
    expect(() => instanceSettings(settings, aDefinition())).toThrow(problem);
  });

  test('takes extra specs, none at all included, where the provider allows them', () => {
    const definition = aDefinition({ allowedSettings: ['image', 'flavor', 'extraSpecs'] });
    const base = { image: 'a', flavor: 'b' };

    expect(instanceSettings({ ...base, extraSpecs: null }, definition).extraSpecs).toBeNull();
    expect(instanceSettings({ ...base, extraSpecs: { d: [1] } }, definition).extraSpecs).toEqual({
      d: [1],
    });
  });
});

test.each([
  { executable: 'relative' },
  { interfaceVersion: 'v2' },
  { environmentVariables: ['GARM_X'] },
  { environmentVariables: [''] },
  { tools: [{ os: 'linux', arch: 'x64', url: 'https://a/b', filename: 'b', sha256: 'short' }] },
  { proxy: { http: "http://a'; rm -rf /" } },
  { unknown: 1 },
])('a definition with %j is refused', (part) => {
  expect(externalDefinitionSchema.safeParse({ ...given, ...part }).success).toBe(false);
});
