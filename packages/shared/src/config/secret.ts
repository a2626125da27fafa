import { inspect } from 'node:util';

const hidden = '[secret]';

/**
 * A string that cannot be printed: JSON, string concatenation, `util.inspect` and pino all show
 * `[secret]`. Call `reveal()` at the one place that sends it.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  [inspect.custom](): string {
    return hidden;
  }
}
