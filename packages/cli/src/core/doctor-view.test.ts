import type { Finding } from '@baton/shared/contracts';
import type { DoctorReport } from '@baton/shared/messaging';
import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { at, clockFinding, renderFindings, serviceFindings } from './doctor-view.ts';

const fine: Finding = { check: 'token', about: 'acme', outcome: 'ok', text: 'fine' };

function aReport(part: Partial<DoctorReport> = {}): DoctorReport {
  const identity = part.identity ?? `${part.service ?? 'listener'}-0`;
  return {
    service: 'listener',
    incarnation: 'a',
    clockAheadMs: 0,
    findings: [fine],
    ...part,
    identity,
  };
}

const complete = [
  aReport({ service: 'janitor' }),
  aReport({ service: 'provisioner' }),
  aReport({ service: 'listener' }),
];

function wrong(reports: readonly DoctorReport[], members: readonly string[]) {
  return serviceFindings(reports, members)
    .filter(({ outcome }) => outcome !== 'ok')
    .map(({ place, check, text }) => `${place} ${check}: ${text}`);
}

describe('serviceFindings', () => {
  test('listeners come first, janitors last', () => {
    const places = serviceFindings(complete, ['listener-0']).map(({ place }) => place);

    expect([...new Set(places)]).toEqual(['listener-0', 'provisioner-0', 'janitor-0']);
  });

  test('a place says which service it is, also where its name does not', () => {
    const reports = [...complete, aReport({ service: 'provisioner', identity: 'host-7' })];

    const places = serviceFindings(reports, ['listener-0']).map(({ place }) => place);

    expect(places).toContain('provisioner host-7');
  });

  test('a listener that lives and says nothing is a failure with its name', () => {
    expect(wrong(complete, ['listener-0', 'listener-1'])).toEqual([
      'listener-1 answer: does not answer, and was alive a moment ago: look at its log',
    ]);
  });

  test('every service that nobody answers for is one', () => {
    expect(wrong([], [])).toEqual(
      ['listener', 'provisioner', 'janitor'].map(
        (name) =>
          `${name} answer: no ${name} answered: start one, or look whether it reaches this NATS`,
      ),
    );
  });

  test('one that is there and does not end is told as such', () => {
    const [, provisioner, listener] = complete;
    const stuck = aReport({ service: 'janitor', findings: undefined });

    const found = wrong(
      [stuck, provisioner, listener].flatMap((one) => one ?? []),
      [],
    );

    expect(found[0]).toContain('janitor-0 answer: is there, and did not');
    expect(found).toHaveLength(1);
  });

  test('a clock of a service that is behind ours', () => {
    const found = serviceFindings([aReport({ clockAheadMs: 90_000 })], []);

    expect(found[0]).toMatchObject({ place: 'listener-0', check: 'clock', outcome: 'failed' });
    expect(found[0]?.text).toContain('at least 90.0 s behind that of this machine');
  });
});

test.each([
  [0, 'ok', 'agrees'],
  [-1_000, 'ok', 'agrees'],
  [1_500, 'warning', 'at least 1.5 s ahead of that of nats-server'],
  [-61_000, 'failed', 'at least 61.0 s behind that of nats-server'],
])('a clock that differs by %d ms is %s', (aheadMs, outcome, text) => {
  const finding = clockFinding('clock', aheadMs, 'nats-server');

  expect(finding.outcome).toBe(outcome);
  expect(finding.text).toContain(text);
});

test('findings are printed by place and subject, one line each, whatever is in their texts', () => {
  const evil: Finding = { check: 'labels', outcome: 'failed', text: 'a\nb\u001b[31mc' };
  const views = [
    at('cli', { check: 'nats', outcome: 'ok', text: 'connected' }),
    at('listener-0', { ...evil, about: 'scale set linux' }),
    at('listener-0', { ...evil, check: 'group', outcome: 'ok', about: 'scale set linux' }),
  ];

  expect(renderFindings(views, picocolors.createColors(false))).toBe(
    [
      'cli',
      '  ok         nats    connected',
      '',
      'listener-0',
      '  scale set linux',
      '    failed   labels  a b [31mc',
      '    ok       group   a b [31mc',
      '',
    ].join('\n'),
  );
});
