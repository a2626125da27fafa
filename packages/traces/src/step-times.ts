import type { RunnerLife } from './runner-lives.ts';
import { lengthOf } from './trace-span.ts';

/** How long a step of a runner's life took, over many runners; ms. */
export interface StepTimes {
  step: string;
  count: number;
  p50Ms: number;
  p95Ms: number;
  maxMs: number;
}

/** The steps in the order of a life. What a life does not have is not counted. */
const steps: readonly [string, (life: RunnerLife) => number | undefined][] = [
  ['poll to plan', planned],
  ['create runner', sumOf('create runner')],
  ['boot', sumOf('boot')],
  ['idle', sumOf('idle')],
  ['job', sumOf('job')],
  ['job to gone', afterJob],
];

export function stepTimes(lives: readonly RunnerLife[]): StepTimes[] {
  return steps.flatMap(([step, read]) => {
    const times = lives.flatMap((life) => read(life) ?? []).sort((a, b) => a - b);
    const at = (share: number) => times[Math.ceil(share * times.length) - 1] ?? 0;
    if (times.length === 0) return [];
    return [{ step, count: times.length, p50Ms: at(0.5), p95Ms: at(0.95), maxMs: at(1) }];
  });
}

function planned({ poll, runner, zeroMs }: RunnerLife): number | undefined {
  return poll && runner && Math.max(0, runner.startMs - zeroMs);
}

/** One that was tried again took as long as all its tries. */
function sumOf(name: string) {
  return ({ steps: done }: RunnerLife): number | undefined => {
    const spans = done.filter((span) => span.name === name);
    return spans.length === 0 ? undefined : spans.reduce((sum, span) => sum + lengthOf(span), 0);
  };
}

function afterJob({ runner, steps: done }: RunnerLife): number | undefined {
  const job = done.findLast(({ name }) => name === 'job');
  return job && runner && Math.max(0, runner.endMs - job.endMs);
}
