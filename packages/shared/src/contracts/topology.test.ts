import { describe, expect, test } from 'vitest';
import {
  commandSubject,
  deadSubject,
  eventSubject,
  hintSubject,
  livenessSubject,
} from './subjects.ts';
import { buckets, streams, topology } from './topology.ts';

describe('topology', () => {
  test('gives only leases, memberships and JIT configs an end', () => {
    const { buckets: defined } = topology({ leaseTtlMs: 10_000 });

    const ending = defined.filter(({ ttlMs }) => ttlMs > 0);

    expect(ending).toMatchObject([
      { name: buckets.leases, ttlMs: 10_000 },
      { name: buckets.members, ttlMs: 10_000 },
      { name: buckets.jit, ttlMs: 86_400_000 },
    ]);
    expect(defined.map(({ name }) => name)).toEqual(Object.values(buckets));
  });

  test.each([
    [streams.events, eventSubject('listener', 'linux-1', 'job', 'started')],
    [streams.commands, commandSubject('create', 'linux-1')],
    [streams.dead, deadSubject('listener', 'message')],
  ])('%s keeps %s, and no other stream does', (name, subject) => {
    const keepers = topology({ leaseTtlMs: 1 }).streams.filter((stream) =>
      stream.subjects.some((pattern) => subject.startsWith(pattern.replace('>', ''))),
    );

    expect(keepers.map((stream) => stream.name)).toEqual([name]);
  });

  test('no stream keeps hints or probes', () => {
    const patterns = topology({ leaseTtlMs: 1 }).streams.flatMap((stream) => stream.subjects);
    const subjects = [hintSubject('plan', 'linux-1'), livenessSubject('listener-0', 'abc')];

    const kept = subjects.filter((subject) =>
      patterns.some((pattern) => subject.startsWith(pattern.replace('>', ''))),
    );

    expect(kept).toEqual([]);
  });
});
