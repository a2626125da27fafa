import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import type { RunnerView } from './core/runner-view.ts';
import { renderTable, runnerColumns } from './render-table.ts';

const plain = { colors: picocolors.createColors(false), nowMs: Date.UTC(2026, 0, 1, 0, 5) };

test('aligns columns, shows ages, and keeps every row on one line', () => {
  const rows = [
    aRunner({ name: 'a', state: 'busy', jobId: 'job-1', instanceId: '4711' }),
    aRunner({ name: 'longer-name', reason: 'quota:\n  no\tmore \u001b[31mroom' }),
  ];

  const table = renderTable(runnerColumns, rows, plain);

  expect(table).toBe(
    [
      'NAME         STATE  AGE  JOB    INSTANCE  NEXT-TRY  REASON',
      'a            busy   5m   job-1  4711      -         -',
      'longer-name  idle   5m   -      -         -         quota: no more [31mroom',
      '',
    ].join('\n'),
  );
});

test('wraps the last column to a terminal, below itself', () => {
  const columns = [
    { heading: 'NAME', cell: ({ name }: { name: string }) => name },
    { heading: 'TEXT', cell: () => 'three times ten characters, and some more of them' },
  ];

  expect(renderTable(columns, [{ name: 'a' }, { name: 'b' }], { ...plain, width: 40 })).toBe(
    [
      'NAME  TEXT',
      'a     three times ten characters, and',
      '      some more of them',
      'b     three times ten characters, and',
      '      some more of them',
      '',
    ].join('\n'),
  );
});

test('a table without rows is its headings', () => {
  expect(renderTable(runnerColumns, [], plain)).toBe(
    'NAME  STATE  AGE  JOB  INSTANCE  NEXT-TRY  REASON\n',
  );
});

test('a create that waits says until when, and one that is due that it is', () => {
  const rows = [
    aRunner({ retryAt: '2026-01-01T00:05:30Z', reason: 'provider "vms" fails' }),
    aRunner({ retryAt: '2026-01-01T00:04:00Z', reason: 'quota: no room' }),
  ];

  const lines = renderTable(runnerColumns, rows, plain).split('\n');

  expect(lines[1]).toMatch(/ in 30s +provider "vms" fails$/);
  expect(lines[2]).toMatch(/ now +quota: no room$/);
});

test('colours do not shift columns', () => {
  const colors = picocolors.createColors(true);

  const [, row] = renderTable(runnerColumns, [aRunner({})], { ...plain, colors }).split('\n');

  expect(row).toContain(`${colors.green('idle')}   5m`);
});

function aRunner(part: Partial<RunnerView>): RunnerView {
  return {
    name: 'runner',
    runnerId: 'abc',
    scaleSetId: 'linux-1',
    scaleSet: 'linux',
    state: 'idle',
    stateAt: '2026-01-01T00:00:00Z',
    createdAt: '2026-01-01T00:00:00Z',
    jobId: null,
    instanceId: null,
    hostId: null,
    githubRunnerId: null,
    provider: 'local',
    generation: 'g',
    reason: null,
    failureClass: null,
    failureText: null,
    retryAt: null,
    postponedCount: 0,
    mark: null,
    deletion: null,
    progress: null,
    ...part,
  };
}
