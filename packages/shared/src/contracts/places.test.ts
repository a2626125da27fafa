import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packPlaces, placesSchema } from './places.ts';

const place = fc.record(
  {
    runnerId: fc.string({ minLength: 1 }),
    recorded: fc.boolean(),
    namedAt: fc.integer({ min: 0, max: 4_000_000_000_000 }).map((ms) => new Date(ms).toISOString()),
    online: fc.constant(true),
    spare: fc.constant(true),
  },
  { requiredKeys: ['runnerId', 'recorded', 'namedAt'] },
);

test('places come out of the bucket as they went in', () => {
  fc.assert(
    fc.property(fc.array(place), (places) => {
      const stored: unknown = JSON.parse(JSON.stringify(packPlaces(places)));

      expect(placesSchema.parse(stored)).toEqual(places);
    }),
  );
});

test('a place with a field of a later version keeps it, and those that lie there unpacked are read', () => {
  const later = { runnerId: 'r1', recorded: true, namedAt: '2026-11-26T06:44:21.000Z', zone: 'b' };

  expect(packPlaces([later])).toEqual([later]);
  expect(placesSchema.parse([later])).toEqual([later]);
});

test.each([[['r1']], [['r1', 'now', 1]], [{ runnerId: 'r1' }], 'r1'])(
  'refuses %j as places',
  (places) => {
    expect(placesSchema.safeParse([places]).success).toBe(false);
  },
);
