/** A scale set that runs in the provider, as its plan and its spec say. */
export interface Sharer {
  scaleSetId: string;
  /** Its part, compared to the others. */
  weight: number;
  maxRunners: number;
  /** Runners that have a place. */
  alive: number;
  /** What its jobs and `minRunners` ask for. */
  asked: number;
  /** Jobs that GitHub has assigned. */
  assigned: number;
  /** What its plan says that is free for it, if that is fresh. */
  published: number;
}

/** Multiples of it, taken modulo 1, are spread evenly, however many. */
const goldenRatio = (Math.sqrt(5) - 1) / 2;

/**
 * How what is free in a provider is shared by its scale sets. Pure and deterministic.
 *
 * GitHub assigns as many jobs as a scale set says it could run, so all together must not say more than
 * fits; and nobody knows how many jobs wait beyond that. So, in this order:
 *
 * 1. A scale set needs what it is asked for, and room for one job more, by which it shows that it has
 *    work. One whose jobs fill all that it said (it is *full*) may have any number waiting: it needs
 *    up to its `maxRunners`.
 * 2. Needs are served like water in vessels: by weight, those with the fewest runners first, running
 *    ones counted. Who has much already waits until others have their part.
 * 3. What nobody needs is shared in the same way, up to `maxRunners`: it is there for whoever comes.
 *
 * Never more is given than is free, and nothing is kept back that somebody could use. Whole runners only:
 * the rest goes by the largest remainder, then by name, beginning with another one at each `turn`: where
 * there are more scale sets than room, all have their time in which GitHub may give them a job.
 */
export function shareCapacity(
  sharers: readonly Sharer[],
  free: number,
  turn = 0,
): Map<string, number> {
  const byName = sharers.toSorted((a, b) => (a.scaleSetId < b.scaleSetId ? -1 : 1));
  const first = Math.floor(((turn * goldenRatio) % 1) * byName.length);
  const ordered = [...byName.slice(first), ...byName.slice(0, first)];
  const vessels = ordered.map(({ weight, alive }) => ({ weight, level: alive }));
  const needs = ordered.map((one) => Math.max(0, needOf(one) - one.alive));
  const needed = pour(vessels, needs, free);
  const filled = vessels.map((vessel, n) => ({
    ...vessel,
    level: vessel.level + (needed[n] ?? 0),
  }));
  const rooms = ordered.map(({ maxRunners }, n) =>
    Math.max(0, maxRunners - (filled[n]?.level ?? 0)),
  );
  const second = pour(filled, rooms, free - sum(needed));
  return new Map(
    ordered.map(({ scaleSetId }, n) => [scaleSetId, (needed[n] ?? 0) + (second[n] ?? 0)]),
  );
}

/**
 * The share of one of them, and how much of that GitHub may be told now: others may have been told what
 * is no longer theirs, and say less only with their next plan; until then both would be too much.
 */
export function shareOf(
  scaleSetId: string,
  sharers: readonly Sharer[],
  free: number,
  turn = 0,
): { free: number; told: number } {
  const share = shareCapacity(sharers, free, turn).get(scaleSetId) ?? 0;
  const others = sharers.filter((one) => one.scaleSetId !== scaleSetId);
  const left = Math.max(0, free - sum(others.map(({ published }) => published)));
  return { free: share, told: Math.min(share, left) };
}

function needOf({ maxRunners, alive, asked, assigned, published }: Sharer): number {
  const full = assigned > 0 && assigned >= Math.min(maxRunners, alive + published);
  return full ? maxRunners : Math.min(maxRunners, Math.max(asked, alive) + 1);
}

interface Vessel {
  weight: number;
  level: number;
}

/** Whole amounts, none above its `most`, together no more than `amount`. */
function pour(vessels: readonly Vessel[], most: readonly number[], amount: number): number[] {
  const total = Math.min(amount, sum(most));
  const height = findHeight(vessels, most, total);
  const exact = vessels.map((vessel, n) => poured(vessel, most[n] ?? 0, height));
  const whole = exact.map(Math.floor);
  const byRemainder = exact
    .map((value, n) => ({ n, remainder: value - Math.floor(value) }))
    .toSorted((a, b) => b.remainder - a.remainder || a.n - b.n);
  let left = total - sum(whole);
  for (const { n } of [...byRemainder, ...byRemainder]) {
    if (left <= 0 || (whole[n] ?? 0) >= (most[n] ?? 0)) continue;
    whole[n] = (whole[n] ?? 0) + 1;
    left -= 1;
  }
  return whole;
}

function poured({ weight, level }: Vessel, most: number, height: number): number {
  return Math.min(most, Math.max(0, height * weight - level));
}

/** The height of the water, runners for each unit of weight, at which `total` is in the vessels. */
function findHeight(vessels: readonly Vessel[], most: readonly number[], total: number): number {
  let low = 0;
  let high = Math.max(
    0,
    ...vessels.map(({ weight, level }, n) => (level + (most[n] ?? 0)) / weight),
  );
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    const held = sum(vessels.map((vessel, n) => poured(vessel, most[n] ?? 0, middle)));
    if (held <= total) low = middle;
    else high = middle;
  }
  return low;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
