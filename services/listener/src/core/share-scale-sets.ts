import { createHash } from 'node:crypto';

/**
 * How many of `identities` should have a scale set before `own` does (rendezvous hashing): 0 for
 * the preferred owner. Everybody computes the same order, and a member that leaves moves only the
 * scale sets that it had. Pure.
 */
export function preferenceRank(
  scaleSetId: string,
  own: string,
  identities: readonly string[],
): number {
  const ownScore = score(scaleSetId, own);
  return identities.filter((other) => other !== own && score(scaleSetId, other) > ownScore).length;
}

function score(scaleSetId: string, identity: string): number {
  return createHash('sha256').update(`${scaleSetId}\0${identity}`).digest().readUInt32BE(0);
}
