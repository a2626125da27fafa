import { type Plan, scaleSetDeclarationSchema, scaleSetIdOf } from '@baton/shared/contracts';
import { describe, expect, test } from 'vitest';
import { capacityFindings, type Planned } from './capacity-findings.ts';

const nowMs = Date.parse('2026-01-01T01:00:00.000Z');
const ago = (seconds: number) => new Date(nowMs - seconds * 1_000).toISOString();

/** A scale set that was declared an hour ago, and what its plan says. */
function planned(name: string, part?: Partial<Plan>, updatedAt = ago(3_600)): Planned {
  const declaration = scaleSetDeclarationSchema.parse({
    name,
    configUrl: 'https://github.com/acme',
    credential: 'main',
    provider: 'local',
  });
  const common = { v: 1 as const, scaleSetId: scaleSetIdOf(name) };
  const fixed = { installationId: 'test', generation: 'g', deleting: false };
  return {
    spec: { ...common, ...fixed, declaration, updatedAt },
    plan: part && { ...common, runners: [], free: 0, freeAt: ago(0), ...part },
  };
}

describe('capacityFindings', () => {
  test('is well when every plan is fresh', () => {
    const sets = [
      planned('linux', { free: 4, freeAt: ago(60) }),
      planned('arm', { free: 3, freeAt: ago(0) }),
    ];

    expect(capacityFindings(sets, nowMs)).toEqual([
      { check: 'capacity', outcome: 'ok', text: 'provisioners report room for 7 more runners' },
    ]);
  });

  test('says since when no provisioner was heard of, and about which scale sets', () => {
    const sets = [
      planned('linux', { freeAt: ago(95) }),
      planned('arm', { freeAt: ago(61) }),
      planned('mac', { freeAt: ago(5) }),
    ];

    expect(capacityFindings(sets, nowMs)).toEqual([
      {
        check: 'capacity',
        outcome: 'failed',
        text: 'no provisioner has reported free capacity for 1m35s; is one running? (linux, arm)',
      },
    ]);
  });

  test('names a few of many scale sets', () => {
    const sets = Array.from({ length: 8 }, (_, n) => planned(`s${n}`, { freeAt: ago(95) }));

    expect(capacityFindings(sets, nowMs)[0]?.text).toMatch(/\(s0, s1, s2, s3, s4 and 3 more\)$/);
  });

  test.each([
    ['just now', 10, 'warning'],
    ['long ago', 600, 'failed'],
  ])('without a plan, declared %s', (_when, seconds, outcome) => {
    expect(capacityFindings([planned('linux', undefined, ago(seconds))], nowMs)).toMatchObject([
      { outcome, text: expect.stringContaining('is one running? (linux)') as string },
    ]);
  });

  test('says why runners cannot be created', () => {
    const backoff = { failures: 3, retryAt: ago(-30), reason: 'provider "p" cannot be asked' };
    const sets = [planned('linux', { freeAt: ago(5), backoff })];

    expect(capacityFindings(sets, nowMs)).toEqual([
      {
        check: 'capacity',
        about: 'scale set linux',
        outcome: 'warning',
        text: 'runners cannot be created now: provider "p" cannot be asked',
      },
    ]);
  });

  test('says nothing when there is nothing to serve', () => {
    expect(capacityFindings([], nowMs)).toEqual([]);
  });
});
