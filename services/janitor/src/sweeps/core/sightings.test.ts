import { describe, expect, test } from 'vitest';
import { hasLasted, type Sighting, sightAgain } from './sightings.ts';

function sight(looks: readonly [what: string, atMs: number][]): Sighting | undefined {
  return looks.reduce<Sighting | undefined>(
    (seen, [what, atMs]) => sightAgain(seen, what, atMs),
    undefined,
  );
}

describe('a sighting', () => {
  test('lasts from the first of two looks', () => {
    const seen = sightAgain(sight([['odd', 0]]), 'odd', 60_000);

    expect(hasLasted(seen, 60_000)).toBe(true);
    expect(hasLasted(seen, 60_001)).toBe(false);
  });

  test('has not lasted in one look, or in one list that was looked at twice', () => {
    const once = sightAgain(undefined, 'odd', 900_000);

    expect(hasLasted(once, 0)).toBe(false);
    expect(hasLasted(sightAgain(once, 'odd', 900_000), 0)).toBe(false);
  });

  test('begins anew when it looks odd in another way', () => {
    expect(
      sight([
        ['odd', 0],
        ['other', 60_000],
      ]),
    ).toMatchObject({ sinceMs: 60_000, looks: 1 });
  });

  test('begins anew after an outage', () => {
    expect(
      sight([
        ['odd', 0],
        ['odd', 900_000],
      ]),
    ).toMatchObject({ sinceMs: 0, looks: 2 });
    expect(
      sight([
        ['odd', 0],
        ['odd', 900_001],
      ]),
    ).toMatchObject({ sinceMs: 900_001, looks: 1 });
  });
});
