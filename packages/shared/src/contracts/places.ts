import { z } from 'zod';

/** Why a runner counts as alive: its place in the plan of its scale set. */
const placeSchema = z.looseObject({
  runnerId: z.string(),
  /** The runner's record is known to have been written. */
  recorded: z.boolean(),
  namedAt: z.iso.datetime(),
  /** It has been seen online. */
  online: z.boolean().optional(),
  /** Made because another runner is late; is given no spare itself. */
  spare: z.boolean().optional(),
});
export type Place = z.infer<typeof placeSchema>;

/** A place as it lies in the bucket: runner id, ms of `namedAt`, and the sum of its `flags`. */
type Packed = [string, number, number];

const packedSchema = z.tuple([z.string(), z.int(), z.int()]);
const flags = { recorded: 1, online: 2, spare: 4 };
const known = new Set(['runnerId', 'recorded', 'namedAt', 'online', 'spare']);

/** Places as objects, whether they lie packed in the bucket or not. */
export const placesSchema = z.preprocess(
  (places) => (Array.isArray(places) ? places.map(unpack) : places),
  z.array(placeSchema),
);

/**
 * Places in the form that costs least: a plan is written whole whenever one of them changes, and may
 * have ten thousand. One with fields of a later version stays as it is.
 */
export function packPlaces(places: readonly Place[]): (Packed | Place)[] {
  return places.map((place) => {
    if (Object.keys(place).some((key) => !known.has(key))) return place;
    const { runnerId, namedAt, recorded, online, spare } = place;
    const sum =
      (recorded ? flags.recorded : 0) + (online ? flags.online : 0) + (spare ? flags.spare : 0);
    return [runnerId, Date.parse(namedAt), sum];
  });
}

function unpack(place: unknown): unknown {
  const packed = packedSchema.safeParse(place).data;
  if (!packed) return place;
  const [runnerId, namedMs, sum] = packed;
  return {
    runnerId,
    recorded: hasFlag(sum, flags.recorded),
    namedAt: new Date(namedMs).toISOString(),
    ...(hasFlag(sum, flags.online) ? { online: true } : {}),
    ...(hasFlag(sum, flags.spare) ? { spare: true } : {}),
  };
}

function hasFlag(sum: number, flag: number): boolean {
  return Math.floor(sum / flag) % 2 === 1;
}
