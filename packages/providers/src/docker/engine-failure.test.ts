import { describe, expect, test } from 'vitest';
import {
  EngineFailure,
  EngineUnreachable,
  pullFailure,
  toProviderError,
} from './engine-failure.ts';

const system = (code: string) => new EngineUnreachable(Object.assign(new Error(code), { code }));

describe('toProviderError', () => {
  test.each([
    [system('ECONNREFUSED'), 'transient'],
    [system('ENOENT'), 'transient'],
    [system('UND_ERR_SOCKET'), 'transient'],
    [system('EACCES'), 'denied'],
    [system('DEPTH_ZERO_SELF_SIGNED_CERT'), 'denied'],
    [new EngineFailure(500, 'write /x: no space left on device'), 'quota'],
    [new EngineFailure(404, 'No such image: x:1'), 'image'],
    [new EngineFailure(400, 'exec: "/run.sh": executable file not found in $PATH'), 'image'],
    [new EngineFailure(403, 'authorization denied by plugin'), 'denied'],
    [new EngineFailure(400, 'invalid mount config for type "bind": path does not exist'), 'denied'],
    [new EngineFailure(400, 'unknown or invalid runtime name: sysbox'), 'denied'],
    [new EngineFailure(400, 'Range of CPUs is from 0.01 to 2.00'), 'invalid-settings'],
    [new EngineFailure(404, 'network ci not found'), 'not-found'],
    [new EngineFailure(409, 'container is marked for removal and cannot be started'), 'not-found'],
    [new EngineFailure(500, 'something broke'), 'transient'],
  ])('%s: %s', (error, errorClass) => {
    expect(toProviderError('create x', error)).toMatchObject({
      class: errorClass,
      message: `create x: ${error.message}`,
    });
  });

  test('leaves other errors alone', () => {
    const bug = new TypeError('a bug');

    expect(toProviderError('x', bug)).toBe(bug);
    expect(pullFailure('x', bug)).toBe(bug);
  });
});

test.each([
  ['unauthorized: authentication required', 'image'],
  ['pull access denied for x, repository does not exist', 'image'],
  ['manifest for x:2 not found: manifest unknown', 'image'],
  ['no matching manifest for linux/amd64 in the manifest list entries', 'image'],
  ['toomanyrequests: You have reached your pull rate limit', 'transient'],
  ['Get "https://x/v2/": dial tcp 10.0.0.1:443: i/o timeout', 'image'],
  ['failed to register layer: write /a: no space left on device', 'quota'],
])('a pull that fails with %j is %s', (message, errorClass) => {
  expect(pullFailure('x', new EngineFailure(500, message))).toMatchObject({ class: errorClass });
});
