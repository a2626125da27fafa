import { z } from 'zod';
import type { CreateRequest } from '../provider.ts';

/** On every container of an instance; how it is found, and the proof that it is ours. */
export const labelNames = {
  installation: 'baton.installation',
  scaleSet: 'baton.scale-set',
  runnerId: 'baton.runner-id',
  runnerName: 'baton.runner-name',
  generation: 'baton.generation',
  role: 'baton.role',
} as const;

/** `docker`: the daemon beside a runner. */
export type Role = 'runner' | 'docker';

export function labelsOf(request: CreateRequest, role: Role): Record<string, string> {
  return {
    [labelNames.installation]: request.installationId,
    [labelNames.scaleSet]: request.scaleSetId,
    [labelNames.runnerId]: request.runnerId,
    [labelNames.runnerName]: request.runnerName,
    [labelNames.generation]: request.generation,
    [labelNames.role]: role,
  };
}

const tagsSchema = z
  .object({
    [labelNames.scaleSet]: z.string(),
    [labelNames.runnerId]: z.string().min(1),
    [labelNames.runnerName]: z.string(),
    [labelNames.generation]: z.string(),
    [labelNames.role]: z.enum(['runner', 'docker']),
  })
  .transform((labels) => ({
    scaleSetId: labels[labelNames.scaleSet],
    runnerId: labels[labelNames.runnerId],
    runnerName: labels[labelNames.runnerName],
    generation: labels[labelNames.generation],
    role: labels[labelNames.role],
  }));

export type Tags = z.output<typeof tagsSchema>;

/** What our labels say; `undefined` when somebody else set them. */
export function readTags(labels: Record<string, string>): Tags | undefined {
  return tagsSchema.safeParse(labels).data;
}
