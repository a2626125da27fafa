import type { Counter } from './metrics.ts';
import type { SpanFacts } from './own-span.ts';

/** Takes spans that are over; keeps them, bounded, until it is known where they go. */
export class SpanOutlet {
  readonly #size: number;
  readonly #spans: Counter<'outcome'>;
  #kept: SpanFacts[] = [];
  #tell: ((facts: SpanFacts) => void) | undefined;

  constructor({ size, spans }: { size: number; spans: Counter<'outcome'> }) {
    this.#size = size;
    this.#spans = spans;
  }

  /** Never throws and never waits. */
  tell(facts: SpanFacts): void {
    if (this.#tell) this.#tell(facts);
    else if (this.#kept.length < this.#size) this.#kept.push(facts);
    else this.#drop(1);
  }

  get kept(): number {
    return this.#kept.length;
  }

  /** All that was kept goes there, and all that comes. */
  openTo(tell: (facts: SpanFacts) => void): void {
    this.#tell = tell;
    for (const facts of this.#kept) tell(facts);
    this.#kept = [];
  }

  /** There is nowhere to go to. */
  close(): void {
    this.openTo(() => this.#drop(1));
  }

  #drop(count: number): void {
    this.#spans.add({ outcome: 'dropped' }, count);
  }
}
