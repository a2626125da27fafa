/** What stands at a sequence or behind it: where it is, and what it says; that is left out where it is known. */
export interface Found<T> {
  at: number;
  read?: () => T;
}

/** Sequences that one hand walks through: it is at `next`. */
interface Span {
  next: number;
  end: number;
}

interface WalkOptions {
  /** Both included. */
  from: number;
  to: number;
  /** How many ask at once. */
  hands: number;
}

/**
 * Collects what stands at the sequences from `from` to `to`, in any order. `ask` finds the first that is at
 * a sequence or behind it. About one call for each that is there, however many are not.
 */
export async function walkLog<T>(
  { from, to, hands }: WalkOptions,
  ask: (sequence: number) => Promise<Found<T> | undefined>,
): Promise<T[]> {
  const values: T[] = [];
  const spans: Span[] = from > to ? [] : [{ next: from, end: to }];
  const walk = async (span: Span) => {
    for (; span.next <= span.end; span.next += 1) {
      const found = await ask(span.next);
      if (!found || found.at > span.end) return;
      if (found.read) values.push(found.read());
      span.next = found.at;
    }
  };
  const first = spans[0];
  await Promise.all(
    Array.from({ length: Math.min(hands, to - from + 1) }, async (_, hand) => {
      let span = hand === 0 ? first : halfOfWidest(spans);
      for (; span; span = halfOfWidest(spans)) {
        await walk(span);
        spans.splice(spans.indexOf(span), 1);
      }
    }),
  );
  return values;
}

/** Takes the upper half of what is left of the widest span: entries may lie close together. */
function halfOfWidest(spans: Span[]): Span | undefined {
  const left = ({ next, end }: Span) => end - next;
  const widest = spans.reduce<Span | undefined>(
    (best, span) => (best && left(best) >= left(span) ? best : span),
    undefined,
  );
  if (!widest || left(widest) < 1) return undefined;
  const end = widest.end;
  widest.end -= Math.ceil(left(widest) / 2);
  const half = { next: widest.end + 1, end };
  spans.push(half);
  return half;
}
