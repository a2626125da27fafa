import { z } from 'zod';

/** One line of the answer to a pull, as far as it matters here. */
export const pullLineSchema = z.object({
  id: z.string().optional(),
  status: z.string().default(''),
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string() }).optional(),
  progressDetail: z
    .object({ current: z.number().optional(), total: z.number().optional() })
    .optional(),
});

type PullLine = z.output<typeof pullLineSchema>;

interface Layer {
  current: number;
  /** Unknown until its download starts. */
  total: number | undefined;
}

/** How much of an image is here, told from the lines of its pull. */
export class PullProgress {
  readonly #layers = new Map<string, Layer>();
  #percent = 0;

  add({ id, status, progressDetail }: PullLine): void {
    if (id === undefined) return;
    const known = this.#layers.get(id);
    if (status === 'Pulling fs layer' || status === 'Waiting') {
      if (!known) this.#layers.set(id, { current: 0, total: undefined });
    } else if (status === 'Downloading') {
      const { current = 0, total } = progressDetail ?? {};
      this.#layers.set(id, { current, total: total ?? known?.total });
    } else if (known && /complete|^Extracting|^Verifying/.test(status)) {
      known.current = known.total ?? 1;
      known.total ??= 1;
    }
  }

  /** Of the bytes to fetch; never falls. A layer of unknown size counts as an average one. */
  get percent(): number {
    const layers = [...this.#layers.values()];
    const sized = layers.filter(({ total }) => total !== undefined);
    const bytes = sized.reduce((sum, { total = 0 }) => sum + total, 0);
    if (bytes === 0) return this.#percent;
    const fetched = sized.reduce(
      (sum, { current, total = 0 }) => sum + Math.min(current, total),
      0,
    );
    const whole = (bytes / sized.length) * layers.length;
    this.#percent = Math.max(this.#percent, Math.floor((fetched / whole) * 100));
    return this.#percent;
  }
}
