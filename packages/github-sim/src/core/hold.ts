/** A request that is kept waiting for its answer. Only the first answer counts. */
export class Hold<T> {
  readonly answer: Promise<T>;
  readonly #resolve: (value: T) => void;
  readonly #onEnd: () => void;
  #open = true;

  /** `onEnd` runs once, just before the answer is given. */
  constructor(onEnd: () => void) {
    const { promise, resolve } = Promise.withResolvers<T>();
    this.answer = promise;
    this.#resolve = resolve;
    this.#onEnd = onEnd;
  }

  get open(): boolean {
    return this.#open;
  }

  end(value: T): void {
    if (!this.#open) return;
    this.#open = false;
    this.#onEnd();
    this.#resolve(value);
  }
}
