import type { ComputeProvider, Instance } from '@baton/providers';
import type { Runner as Registration } from '@baton/scaleset';
import type { Evidence, Mark, Runner, Spec, SweepName } from '@baton/shared/contracts';

/** Something that was read whole, and when it was asked for. */
export interface View<T> {
  items: readonly T[];
  /** Wall clock, ms. */
  askedMs: number;
  /** Monotonic clock, ms. */
  askedMonotonicMs: number;
}

/** A provider's list of instances. */
export interface InstanceView extends View<Instance> {
  provider: ComputeProvider;
}

/** GitHub's list of runners, as one credential sees it at one config URL. */
export interface RegistrationView extends View<Registration> {
  credential: string;
  configUrl: string;
}

/**
 * What sweeps decide from. A list that could not be had is not there, and nothing is decided about what
 * would be on it.
 */
export interface SweepViews {
  /** Read before any list was asked for: what they have and a list has not, has gone. */
  before: View<Runner>;
  /** Read after the lists: what a list has and they have not, has no record. */
  after: View<Runner>;
  /** Whether a record of the runner was deleted of late: two minutes at the least. */
  wasDeleted: (scaleSetId: string, runnerId: string) => boolean;
  /** By the provider's name. */
  instances: ReadonlyMap<string, InstanceView>;
  /** By scope: see `scopeOf`. */
  registrations: ReadonlyMap<string, RegistrationView>;
  specs: ReadonlyMap<string, Spec>;
  installationId: string;
  nowMs: number;
  monotonicMs: number;
}

/** Which list of GitHub has the runners of a scale set. */
export function scopeOf({ declaration }: Spec): string {
  return `${declaration.credential} ${declaration.configUrl}`;
}

export type Finding =
  | {
      action: 'mark';
      runner: Runner;
      mark: Pick<Mark, 'reason' | 'gate'> & { text: string; evidence: Evidence };
    }
  | {
      action: 'adopt';
      /** The record that the instance is given: not marked, in the state that the views prove. */
      runner: Runner;
      text: string;
      evidence: Evidence;
    }
  | {
      action: 'deregister';
      registration: Registration;
      runnerId: string;
      scope: string;
      text: string;
      evidence: Evidence;
    };

export interface Decision<Memory> {
  /** What is to be done, the oldest first. */
  findings: Finding[];
  /** What was looked at: the share of the guard is of this. */
  lookedAt: number;
  /** What was left alone although something is odd about it, by why: `seen once`, `too young`. */
  left: Record<string, number>;
  /** To be handed to the next decision: since when what has been missing. Lost with the process. */
  memory: Memory;
  /** Why nothing is decided: a list is suspicious. */
  problem?: string;
}

/**
 * One kind of thing that may be wrong, and how it is told. `decide` is pure: same views and memory, same
 * decision; a dry run is a decision that nobody carries out.
 */
export interface Sweep<Memory = unknown> {
  name: SweepName;
  needs: readonly ('instances' | 'registrations')[];
  /**
   * Of which scale sets GitHub's lists are needed: of those with records where it does not say, of `all` that
   * are declared, or as told from everything else. A sweep that tells runs as often as if it needed none of
   * them: GitHub is only asked when there is something to ask about.
   */
  asksAbout?: 'all' | ((views: SweepViews) => ReadonlySet<string>);
  /**
   * Whether marking many at once has to be confirmed. Adopting deletes nothing, and what is deregistered
   * is offline and has neither record nor instance.
   */
  guarded: boolean;
  start: Memory;
  decide: (views: SweepViews, memory: Memory) => Decision<Memory>;
}
