import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '@baton/shared/time';
import type { SimOptions } from './options.ts';

export type TokenKind = 'app' | 'registration' | 'admin' | 'queue';

interface Grant {
  kind: TokenKind;
  subject: string;
  expiresAt: number;
  by: string | undefined;
}

export interface IssuedToken {
  token: string;
  /** ISO time. */
  expiresAt: string;
}

/** Every token that the simulator has handed out, of which kind, for what, and until when. */
export class Tokens {
  readonly #clock: Clock;
  readonly #lifetimeMs: Record<TokenKind, number>;
  readonly #grants = new Map<string, Grant>();
  readonly #key = randomBytes(32);
  #personal: string;

  constructor(clock: Clock, options: SimOptions) {
    this.#clock = clock;
    this.#personal = options.token;
    this.#lifetimeMs = {
      app: options.appTokenMs,
      registration: options.registrationTokenMs,
      admin: options.adminTokenMs,
      queue: options.queueTokenMs,
    };
  }

  /** Whether it is the personal access token of now, or that with `@` and the name of who uses it. */
  isPersonal(token: string): boolean {
    return token === this.#personal || token.startsWith(`${this.#personal}@`);
  }

  /** Who has a token: the name behind the `@` of the personal access token that it was had for. */
  holderOf(token: string): string | undefined {
    if (!this.isPersonal(token)) return this.#grants.get(token)?.by;
    return token.slice(this.#personal.length + 1) || undefined;
  }

  /** Revokes the personal access token in favour of another, with all that was had for it. */
  replacePersonal(token: string): void {
    this.#personal = token;
    this.expire('registration');
    this.expire('admin');
  }

  /** `subject` is what the token is good for: a scope or a session id. `by` is who has it. */
  issue(kind: TokenKind, subject: string, by?: string): IssuedToken {
    const expiresAt = this.#clock.now() + this.#lifetimeMs[kind];
    const token = this.#mint(kind, subject, expiresAt);
    this.#grants.set(token, { kind, subject, expiresAt, by });
    return { token, expiresAt: new Date(expiresAt).toISOString() };
  }

  /** The subject of a valid token of this kind; undefined when it is wrong or has expired. */
  check(kind: TokenKind, token: string): string | undefined {
    const grant = this.#grants.get(token);
    if (!grant || grant.kind !== kind) return undefined;
    if (grant.expiresAt > this.#clock.now()) return grant.subject;
    this.#grants.delete(token);
    return undefined;
  }

  /** Ends all tokens of a kind at once. Returns how many there were. */
  expire(kind: TokenKind): number {
    const ended = [...this.#grants].filter(([, grant]) => grant.kind === kind);
    for (const [token] of ended) this.#grants.delete(token);
    return ended.length;
  }

  #mint(kind: TokenKind, subject: string, expiresAt: number): string {
    if (kind === 'app') return `ghs_${randomBytes(27).toString('base64url')}`;
    if (kind === 'registration') return `A${randomBytes(14).toString('hex').toUpperCase()}`;
    const now = Math.floor(this.#clock.now() / 1000);
    const claims = { sub: subject, kind, nbf: now, iat: now, exp: Math.ceil(expiresAt / 1000) };
    const head = `${encode({ typ: 'JWT', alg: 'HS256' })}.${encode({ ...claims, jti: nonce() })}`;
    return `${head}.${createHmac('sha256', this.#key).update(head).digest('base64url')}`;
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function nonce(): string {
  return randomBytes(9).toString('base64url');
}
