import { expect, test } from 'vitest';
import type { Inspection } from './engine-schemas.ts';
import type { Role } from './labels.ts';
import { observeInstance, type SeenContainer } from './observe-instance.ts';

const createdMs = Date.parse('2026-01-01T00:00:00Z');
const never = '0001-01-01T00:00:00Z';
type State = Inspection['State'];

function seen(status: State['Status'], changes: Partial<State> = {}, role: Role = 'runner') {
  const tags = { scaleSetId: 's', runnerId: 'r', runnerName: 'n', generation: 'g', role };
  const State = {
    Status: status,
    ExitCode: 0,
    Error: '',
    OOMKilled: false,
    StartedAt: '2026-01-01T00:00:01Z',
    FinishedAt: never,
    ...changes,
  };
  const container: SeenContainer = {
    tags,
    summary: { Id: role, Created: createdMs / 1_000, State: status, Labels: {} },
    inspection: { Id: role, State, Config: {}, HostConfig: { Memory: 2 ** 20 * 64 } },
  };
  return container;
}

const ended = { FinishedAt: '2026-01-01T00:01:00.5Z' };
const exitedAt = '2026-01-01T00:01:00.500Z';
const unstarted = { StartedAt: never };

test.each([
  ['running', [seen('running')], { state: 'running' }],
  ['paused', [seen('paused')], { state: 'running' }],
  ['created just now', [seen('created', unstarted)], { state: 'starting' }],
  [
    'ended',
    [seen('exited', { ...ended, ExitCode: 7 })],
    { state: 'exited', exitCode: 7, exitedAt },
  ],
  ['being removed while it ran', [seen('removing')], { state: 'exited' }],
  [
    'that the engine lost',
    [seen('dead', { ...ended, ExitCode: 255, Error: 'device busy' })],
    {
      state: 'exited',
      exitCode: 255,
      exitedAt,
      problem: { class: 'transient', text: 'device busy' },
    },
  ],
  [
    'that could not be started',
    [seen('created', { ...unstarted, ExitCode: 127, Error: 'no such file' })],
    { state: 'exited', problem: { class: 'image', text: 'start: no such file' } },
  ],
  [
    'out of memory',
    [seen('exited', { ...ended, ExitCode: 137, OOMKilled: true })],
    { state: 'exited', problem: { class: 'quota', text: expect.stringContaining('64 MiB') } },
  ],
  ['gone but for its daemon', [seen('running', {}, 'docker')], { state: 'exited' }],
] as const)('a runner %s', (_what, containers, expected) => {
  const instance = observeInstance([...containers], {
    nowMs: createdMs + 9_999,
    startTimeoutMs: 10_000,
  });

  expect(instance).toMatchObject({
    instanceId: 'r',
    createdAt: '2026-01-01T00:00:00.000Z',
    ...expected,
  });
  if (!('exitCode' in expected) && expected.state !== 'exited')
    expect(instance).not.toHaveProperty('exitCode');
  expect('problem' in instance).toBe('problem' in expected);
});

test('a runner that was not started in time never will be', () => {
  const instance = observeInstance([seen('created', unstarted)], {
    nowMs: createdMs + 10_000,
    startTimeoutMs: 10_000,
  });

  expect(instance).toMatchObject({ state: 'exited', problem: { class: 'transient' } });
  expect(instance).not.toHaveProperty('exitCode');
});
