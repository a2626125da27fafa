/** The creates of one scale set in one provider. */
export interface LaneLoad {
  waiting: number;
  running: number;
  /** Its last create did not succeed: one at a time, until one does. */
  suspect: boolean;
}

/** How many creates may run at once. */
export interface Hands {
  /** In the provider. */
  total: number;
  perScaleSet: number;
}

/**
 * Whose create starts next: the index of the first lane in turn that may have a hand, or undefined.
 * `lanes` are all of a provider, in their turn. Pure.
 *
 * The last quarter of the hands is for scale sets that have none and are no suspects: those whose creates
 * were seen to hang, however many, leave room for one create of each that comes later. Hands are short only
 * while more scale sets than that quarter hang for the first time.
 */
export function nextLane(lanes: readonly LaneLoad[], hands: Hands): number | undefined {
  const busy = lanes.reduce((sum, { running }) => sum + running, 0);
  const index = lanes.findIndex((lane) => lane.waiting > 0 && mayStart(lane, busy, hands));
  return index < 0 ? undefined : index;
}

function mayStart({ running, suspect }: LaneLoad, busy: number, hands: Hands): boolean {
  const { total, perScaleSet } = hands;
  if (running >= (suspect ? 1 : perScaleSet)) return false;
  const reserved = running === 0 && !suspect ? 0 : Math.floor(total / 4);
  return busy < total - reserved;
}
