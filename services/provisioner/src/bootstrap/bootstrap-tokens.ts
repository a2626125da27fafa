import { Secret } from '@baton/shared/config';
import type { SealingKeys } from '@baton/shared/sealing';
import type { Clock } from '@baton/shared/time';
import { errors, jwtVerify, SignJWT } from 'jose';

export interface RunnerRef {
  scaleSetId: string;
  runnerId: string;
}

interface TokensOptions {
  keys: SealingKeys;
  installationId: string;
  clock: Clock;
}

const issuer = 'baton';
const purpose = 'sign bootstrap tokens';

/**
 * Tokens by which an instance shows which runner it is to become: JWTs (HS256), good for one runner until
 * their end. Every holder of the key can check them, and nobody stores them.
 */
export class BootstrapTokens {
  readonly #keys: SealingKeys;
  readonly #audience: string;
  readonly #clock: Clock;

  constructor({ keys, installationId, clock }: TokensOptions) {
    this.#keys = keys;
    this.#audience = installationId;
    this.#clock = clock;
  }

  /** `expiresAt`: ms since 1970. */
  async issue({ scaleSetId, runnerId }: RunnerRef, expiresAt: number): Promise<Secret> {
    const { currentId } = this.#keys;
    const token = await new SignJWT({ set: scaleSetId })
      .setProtectedHeader({ alg: 'HS256', kid: currentId })
      .setIssuer(issuer)
      .setAudience(this.#audience)
      .setSubject(runnerId)
      .setExpirationTime(new Date(expiresAt))
      .sign(this.#keys.derive(currentId, purpose));
    return new Secret(token);
  }

  /** Whose token it is; undefined when it is none of ours, or its time is over. */
  async verify(token: string): Promise<RunnerRef | undefined> {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.#keyOf(kid), {
        algorithms: ['HS256'],
        issuer,
        audience: this.#audience,
        requiredClaims: ['sub', 'set', 'exp'],
        currentDate: new Date(this.#clock.now()),
      });
      const { sub: runnerId, set: scaleSetId } = payload;
      return runnerId && typeof scaleSetId === 'string' ? { scaleSetId, runnerId } : undefined;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  #keyOf(kid: string | undefined): Uint8Array {
    if (kid === undefined || !this.#keys.has(kid)) throw new errors.JWKSNoMatchingKey();
    return this.#keys.derive(kid, purpose);
  }
}
