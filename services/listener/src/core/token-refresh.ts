import { z } from 'zod';

/** Queue tokens that do not say it were measured to live 50 to 65 min: 80 % of the shortest, in ms. */
const unknownLifeMs = 40 * 60_000;
const shareOfLife = 0.8;
/** Never more often, whatever a token says, in ms. */
const minMs = 10_000;
/** Longer than any timer may be set is not asked for, in ms. */
const maxMs = 24 * 3_600_000;

const claimsSchema = z.object({
  exp: z.number(),
  iat: z.number().optional(),
  nbf: z.number().optional(),
});

/**
 * In how many ms a token that came at `receivedAtMs` (wall clock) should be replaced: after 80 % of
 * its life, when it is a JWT that tells it. Its own times are compared with each other, because the
 * local clock may be wrong. Pure; the token is not verified.
 */
export function refreshInMs(token: string, receivedAtMs: number): number {
  const claims = readClaims(token);
  if (!claims) return unknownLifeMs;
  const { exp, iat, nbf } = claims;
  const lifeMs = exp * 1_000 - (iat ?? nbf ?? receivedAtMs / 1_000) * 1_000;
  if (!(lifeMs > 0)) return unknownLifeMs;
  return Math.min(maxMs, Math.max(minMs, lifeMs * shareOfLife));
}

function readClaims(token: string): z.infer<typeof claimsSchema> | undefined {
  const [, payload, signature] = token.trim().split('.');
  if (!payload || signature === undefined) return undefined;
  try {
    const text = Buffer.from(payload, 'base64url').toString('utf8');
    return claimsSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
