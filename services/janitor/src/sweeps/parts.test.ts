import { describe, expect, test } from 'vitest';
import { anySweep } from './any-sweep.ts';
import { partsOf, sweepLeaseKey } from './parts.ts';
import { finding, missing } from './testing/missing.ts';

const records = anySweep(finding(() => []));
const instances = anySweep(missing);

describe('partsOf', () => {
  test('a sweep of records alone has one part', () => {
    const parts = partsOf([records], new Map([['metal', { hostId: 'rack-7' }]]));

    expect(parts).toEqual([{ sweep: records, hostId: undefined, providers: [] }]);
  });

  test('a sweep of instances has one part for what all see, and one for each host', () => {
    const providers = new Map([
      ['docker', { hostId: 'rack-7' }],
      ['cloud', {}],
      ['metal', { hostId: 'rack-7' }],
      ['cluster', {}],
    ]);

    expect(partsOf([instances], providers)).toMatchObject([
      { hostId: 'rack-7', providers: ['docker', 'metal'] },
      { hostId: undefined, providers: ['cloud', 'cluster'] },
    ]);
  });

  test('who has only providers of a host leaves the others alone', () => {
    const parts = partsOf([instances], new Map([['metal', { hostId: 'rack-7' }]]));

    expect(parts.map(({ hostId }) => hostId)).toEqual(['rack-7']);
    expect(sweepLeaseKey('lost', 'rack-7')).toBe('sweep.lost.rack-7');
    expect(sweepLeaseKey('lost', undefined)).toBe('sweep.lost');
  });
});
