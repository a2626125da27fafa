import type { RunnerState } from '@baton/shared/contracts';

/** What the view shows, at one moment. */
export interface Snapshot {
  elapsedMs: number;
  /** By the simulator's books; absent against the real GitHub. */
  jobs?: {
    /** How many there will be; undefined: without end. */
    wanted: number | undefined;
    queued: number;
    assigned: number;
    running: number;
    done: number;
  };
  scaleSets: readonly ScaleSetLine[];
  /** How many runners are in each state, in the order of their life. */
  runners: readonly { state: RunnerState; count: number }[];
}

export interface ScaleSetLine {
  name: string;
  state: string;
  reason: string | undefined;
  /** The listener that has the session. */
  owner: string | undefined;
  /** For how long it has been in this state, in ms. */
  forMs: number | undefined;
  /** Jobs that GitHub gave it and that are not over. */
  assigned: number;
  /** Runners that are neither on their way out nor gone. */
  alive: number;
  busy: number;
  max: number;
}
