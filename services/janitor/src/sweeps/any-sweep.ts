import type { Decision, Sweep, SweepViews } from './sweep.ts';

/** What a sweep remembers from one look to the next. */
export interface SweepMemory {
  /** Decides, and changes nothing before `remember` is called. */
  decide: (views: SweepViews) => Omit<Decision<never>, 'memory'> & { remember: () => void };
}

/** A sweep whatever its memory is made of. */
export interface AnySweep extends Pick<Sweep, 'name' | 'needs' | 'asksAbout' | 'guarded'> {
  /** Begins to observe anew. */
  begin: () => SweepMemory;
}

export function anySweep<Memory>({ start, decide, ...sweep }: Sweep<Memory>): AnySweep {
  return {
    ...sweep,
    begin: () => {
      let memory = start;
      return {
        decide: (views) => {
          const { memory: next, ...decision } = decide(views, memory);
          return {
            ...decision,
            remember: () => {
              memory = next;
            },
          };
        },
      };
    },
  };
}
