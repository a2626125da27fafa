import type { Floor } from '../measure/floor.ts';
import { ratio, significant } from '../measure/percentiles.ts';
import { leaseTtlMs } from '../stack.ts';
import type { TakeoverFigures } from './takeover.ts';

type Figure = keyof TakeoverFigures;

/** What each figure is compared with, in ms. */
export function takeoverFloors(
  floor: Pick<Floor, 'processStartP50Ms' | 'natsRoundTripP50Ms' | 'httpP50Ms'>,
): Record<Figure, number> {
  // A lease and a poll need a round trip each, whoever takes them.
  const roundTrips = significant(floor.natsRoundTripP50Ms + floor.httpP50Ms);
  return {
    sameIdentityMs: floor.processStartP50Ms,
    sameIdentityFromConfigMs: roundTrips,
    otherPodFastMs: roundTrips,
    // Of a holder whose connection stays up, only time tells that it is gone.
    otherPodTtlMs: leaseTtlMs,
    waitOutAfterReleaseMs: roundTrips,
    handOverGapMs: roundTrips,
  };
}

/** Of the medians, by the name of the figure; what was not measured has none. */
export function takeoverRatios(
  figures: { readonly [Name in Figure]: { p50: number } | undefined },
  floor: Parameters<typeof takeoverFloors>[0],
): Record<string, number> {
  const floors = takeoverFloors(floor);
  const names: readonly Figure[] = [
    'sameIdentityMs',
    'sameIdentityFromConfigMs',
    'otherPodFastMs',
    'otherPodTtlMs',
    'waitOutAfterReleaseMs',
    'handOverGapMs',
  ];
  const ratios = names.flatMap((name) => {
    const measured = figures[name];
    return measured ? [[name, ratio(measured.p50, floors[name])] as const] : [];
  });
  return Object.fromEntries(ratios);
}
