import type { Entry } from '../messaging/index.ts';
import { type Holder, Lease, type LeaseDeps } from './lease.ts';

/** Takes, looks at and breaks leases on behalf of one holder. */
export class LeaseStore {
  readonly #deps: LeaseDeps;

  constructor(deps: LeaseDeps) {
    this.#deps = { ...deps, log: deps.log.child({ component: 'lease' }) };
  }

  get holder(): Holder {
    return this.#deps.holder;
  }

  /** Life of a lease without renewal, in ms. */
  get ttlMs(): number {
    return this.#deps.ttlMs;
  }

  /** The lease, when nobody held it; undefined when somebody does. */
  async tryAcquire(key: string): Promise<Lease | undefined> {
    const sentAt = this.#deps.clock.monotonic();
    const revision = await this.#deps.bucket.create(key, this.#deps.holder);
    return revision === undefined ? undefined : new Lease(this.#deps, key, revision, sentAt);
  }

  async read(key: string): Promise<Entry<Holder> | undefined> {
    return await this.#deps.bucket.get(key);
  }

  /** Removes another holder's lease as it was read; false when it has changed since. */
  async break(key: string, revision: number): Promise<boolean> {
    return await this.#deps.bucket.delete(key, revision);
  }
}
