import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ConfigError, ContractError } from '../errors/index.ts';

/** A value that only a holder of the key can read, as it may lie anywhere. */
export const sealedSchema = z.looseObject({
  v: z.literal(1),
  /** Which key opens it. */
  keyId: z.string(),
  /** Base64: 12 random bytes, the ciphertext, 16 bytes of authentication tag. */
  box: z.string(),
});
export type Sealed = z.infer<typeof sealedSchema>;

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const entry = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/;

/**
 * Keys for what must lie in NATS and must not be read there: AES-256-GCM. The first key seals, all of
 * them open, so a new key is put in front and the old one taken away once nothing is left that it sealed.
 */
export class SealingKeys {
  readonly #keys: ReadonlyMap<string, Buffer>;
  /** The id of the key that seals. */
  readonly currentId: string;

  private constructor(keys: ReadonlyMap<string, Buffer>, currentId: string) {
    this.#keys = keys;
    this.currentId = currentId;
  }

  /**
   * Reads `id:key` entries, separated by white space or commas; a key is 32 bytes in base64.
   * @throws ConfigError that says which entry is wrong, never what it holds.
   */
  static parse(text: string): SealingKeys {
    const keys = new Map<string, Buffer>();
    for (const [index, part] of text
      .split(/[\s,]+/)
      .filter(Boolean)
      .entries()) {
      const [, id, key] = entry.exec(part) ?? [];
      if (id === undefined || key === undefined) throw badEntry(index, 'is not of the form ID:KEY');
      if (keys.has(id)) throw badEntry(index, `has the id ${id}, which another one has already`);
      keys.set(id, Buffer.from(key, 'base64'));
    }
    const [currentId] = keys.keys();
    if (currentId === undefined) throw new ConfigError(`there is no sealing key; ${advice}`);
    return new SealingKeys(keys, currentId);
  }

  /** Seals a text so that it opens only together with the same `context`, which is not secret. */
  seal(text: string, context: string): Sealed {
    const keyId = this.currentId;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.derive(keyId, 'seal'), nonce);
    cipher.setAAD(Buffer.from(context));
    const sealed = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
    return { v: 1, keyId, box: Buffer.concat(sealed).toString('base64') };
  }

  /** @throws ContractError when its key is gone, or it was sealed in another context, or changed. */
  open({ keyId, box }: Sealed, context: string): string {
    const bytes = Buffer.from(box, 'base64');
    if (!this.has(keyId)) throw new ContractError(`the sealing key ${keyId} is not configured`);
    try {
      const nonce = bytes.subarray(0, nonceBytes);
      const decipher = createDecipheriv('aes-256-gcm', this.derive(keyId, 'seal'), nonce, {
        authTagLength: tagBytes,
      });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
      return Buffer.concat([text, decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new ContractError(`what the key ${keyId} sealed does not open here`, { cause });
    }
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  /** A key of its own for each purpose, so that no two uses of a configured key meet. */
  derive(keyId: string, purpose: string): Buffer {
    const key = this.#keys.get(keyId);
    if (!key) throw new ContractError(`the sealing key ${keyId} is not configured`);
    return Buffer.from(hkdfSync('sha256', key, '', `baton ${purpose}`, keyBytes));
  }
}

const advice =
  'give ID:KEY entries, the current one first, where KEY is what "openssl rand -base64 32" prints';

function badEntry(index: number, problem: string): ConfigError {
  return new ConfigError(`entry ${index + 1} of the sealing keys ${problem}; ${advice}`);
}
