import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { renderPlain, renderView } from './render-view.ts';
import type { ScaleSetLine, Snapshot } from './snapshot.ts';

const plain = { colors: picocolors.createColors(false), events: [] };

function aSet(changed: Partial<ScaleSetLine> = {}): ScaleSetLine {
  return {
    name: 'set-1',
    state: 'polling',
    reason: undefined,
    owner: 'listener-0',
    forMs: 12_300,
    assigned: 5,
    alive: 5,
    busy: 3,
    max: 10,
    ...changed,
  };
}

function aSnapshot(changed: Partial<Snapshot> = {}): Snapshot {
  return {
    elapsedMs: 65_000,
    jobs: { wanted: 40, queued: 4, assigned: 2, running: 8, done: 20 },
    scaleSets: [aSet()],
    runners: [
      { state: 'starting', count: 2 },
      { state: 'busy', count: 3 },
    ],
    ...changed,
  };
}

describe('renderView', () => {
  test('shows jobs, sessions and runners', () => {
    const sets = [aSet(), aSet({ name: 'set-long', owner: undefined, state: 'opening', alive: 0 })];

    const lines = renderView(aSnapshot({ scaleSets: sets }), {
      ...plain,
      events: ['3.0s  killed'],
    });

    expect(lines).toEqual([
      'Baton  1m5s',
      '',
      'jobs     ████████████████████████████▒▒░░░░░░░░░░',
      '         queued 4  assigned 2  running 8  done 20 of 40',
      '',
      'SCALE SET  SESSION AT  STATE    SINCE  JOBS  RUNNERS',
      'set-1      listener-0  polling  12s    5     ██████▒▒▒▒░░░░░░░░░░ 5 of 10',
      'set-long   -           opening  12s    5     ██████░░░░░░░░░░░░░░ 0 of 10',
      '',
      'runners  starting 2  busy 3',
      '',
      '3.0s  killed',
    ]);
  });

  test('says why a scale set is not polled', () => {
    const set = aSet({ state: 'conflicted', reason: 'held by another' });

    expect(renderView(aSnapshot({ scaleSets: [set] }), plain)).toContain('set-1: held by another');
  });

  test('leaves the jobs out against the real GitHub', () => {
    const { elapsedMs, scaleSets, runners } = aSnapshot();

    const lines = renderView({ elapsedMs, scaleSets, runners }, plain);

    expect(lines.some((line) => line.startsWith('jobs'))).toBe(false);
  });

  test('draws a bar of its width when nothing is known, and when more is alive than allowed', () => {
    const jobs = { wanted: undefined, queued: 0, assigned: 0, running: 0, done: 9 };

    const lines = renderView(aSnapshot({ jobs, scaleSets: [aSet({ alive: 14, max: 10 })] }), plain);

    expect(lines).toContain(`jobs     ${'░'.repeat(40)}`);
    expect(lines.join('\n')).toContain(`${'█'.repeat(6)}${'▒'.repeat(14)} 14 of 10`);
  });

  test('colours only when asked to', () => {
    const colored = { colors: picocolors.createColors(true), events: [] };

    expect(renderView(aSnapshot(), plain).join('')).not.toContain('\x1b');
    expect(renderView(aSnapshot(), colored).join('')).toContain('\x1b[32m█');
  });
});

test('renderPlain puts it into one line', () => {
  const sets = [aSet(), aSet({ name: 'set-2', state: 'waiting', assigned: 0, alive: 0 })];

  expect(renderPlain(aSnapshot({ scaleSets: sets }))).toBe(
    'queued 4  assigned 2  running 8  done 20 of 40 | assigned/runners: set-1 listener-0 5/5, set-2 waiting 0/0 | runners: starting 2  busy 3',
  );
});
