import { createHash } from 'node:crypto';

/** A listener that takes sessions, and how many of the scale sets it should have compared to others. */
export interface Share {
  identity: string;
  weight: number;
}

/**
 * How many of `others` should have a scale set before `own` does (weighted rendezvous hashing): 0
 * for the preferred owner. Everybody computes the same order, and a member that joins or leaves
 * moves only the scale sets that it gets or had. Pure.
 */
export function preferenceRank(scaleSetId: string, own: Share, others: readonly Share[]): number {
  const ownScore = score(scaleSetId, own);
  return others.filter(
    (other) => other.identity !== own.identity && score(scaleSetId, other) > ownScore,
  ).length;
}

/** Of `shares`, the one that should have the scale set; undefined when there is none. Pure. */
export function preferredOwner(scaleSetId: string, shares: readonly Share[]): string | undefined {
  return shares.find((own) => preferenceRank(scaleSetId, own, shares) === 0)?.identity;
}

/** Independent of who else is there; the chance to have the highest score grows with the weight. */
function score(scaleSetId: string, { identity, weight }: Share): number {
  const hash = createHash('sha256').update(`${scaleSetId}\0${identity}`).digest().readUInt32BE(0);
  return -weight / Math.log((hash + 0.5) / 2 ** 32);
}
