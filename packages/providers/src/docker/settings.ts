import { z } from 'zod';
import { ProviderError } from '../provider-error.ts';
import { type DockerDefinition, resourcesSchema, variableName } from './definition.ts';
import { imageSchema, matchesPattern } from './image-reference.ts';

/** Would change who the runner is, or which daemon it talks to. */
const reserved = /^(ACTIONS_RUNNER_INPUT_|DOCKER_|BATON_)/i;

/** What whoever writes a scale-set file may decide. Nothing here may reach out of the container. */
const settingsSchema = z.strictObject({
  image: imageSchema.optional(),
  ...resourcesSchema.shape,
  env: z.record(variableName, z.string()).default({}),
  labels: z.record(z.string().min(1), z.string()).default({}),
  dind: z.boolean().default(false),
});

/** What a runner's container is made from, after the operator's word on it. */
export interface ContainerSettings {
  image: string;
  cpus: number | undefined;
  memoryMiB: number | undefined;
  pidsLimit: number | undefined;
  env: Record<string, string>;
  labels: Record<string, string>;
  dind: boolean;
}

/** @throws ProviderError `invalid-settings`, with the path of everything that is wrong. */
export function resolveSettings(
  definition: DockerDefinition,
  settings: unknown,
): ContainerSettings {
  const parsed = settingsSchema.safeParse(settings ?? {});
  if (!parsed.success)
    throw refusal(parsed.error.issues.map(({ path, message }) => `${pathText(path)}: ${message}`));
  const wanted = parsed.data;
  const problems = findProblems(definition, wanted);
  if (problems.length > 0) throw refusal(problems);
  const { limits, maxima } = definition;
  return {
    image: wanted.image ?? definition.image,
    cpus: wanted.cpus ?? limits.cpus ?? maxima.cpus,
    memoryMiB: wanted.memoryMiB ?? limits.memoryMiB ?? maxima.memoryMiB,
    pidsLimit: wanted.pidsLimit ?? limits.pidsLimit ?? maxima.pidsLimit,
    env: wanted.env,
    labels: wanted.labels,
    dind: wanted.dind,
  };
}

type Wanted = z.output<typeof settingsSchema>;

function findProblems(definition: DockerDefinition, wanted: Wanted): string[] {
  const problems: string[] = [];
  const { image, allowedImages } = definition;
  const images = [image, ...allowedImages];
  if (wanted.image !== undefined && !fits(wanted.image, images))
    problems.push(
      `settings.image: ${wanted.image} is not allowed here; allowed: ${images.join(', ')}`,
    );
  if (wanted.dind && !definition.dind)
    problems.push('settings.dind: the provider does not allow it');
  return [...problems, ...findExcess(definition, wanted), ...findBadNames(definition, wanted)];
}

function findExcess({ maxima }: DockerDefinition, wanted: Wanted): string[] {
  return (['cpus', 'memoryMiB', 'pidsLimit'] as const).flatMap((name) => {
    const [found = 0, maximum] = [wanted[name], maxima[name]];
    if (maximum === undefined || found <= maximum) return [];
    return `settings.${name}: ${found} is above the maximum of ${maximum}`;
  });
}

function findBadNames({ env, allowedLabels }: DockerDefinition, wanted: Wanted): string[] {
  const problems: string[] = [];
  for (const name of Object.keys(wanted.env)) {
    if (reserved.test(name)) problems.push(`settings.env.${name}: is reserved`);
    else if (Object.hasOwn(env, name))
      problems.push(`settings.env.${name}: is set by the provider`);
  }
  for (const label of Object.keys(wanted.labels)) {
    if (label.startsWith('baton.') || !fits(label, allowedLabels))
      problems.push(`settings.labels.${label}: is not among the provider's allowedLabels`);
  }
  return problems;
}

function fits(text: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matchesPattern(text, pattern));
}

function pathText(path: readonly PropertyKey[]): string {
  return ['settings', ...path].map(String).join('.');
}

function refusal(problems: readonly string[]): ProviderError {
  return new ProviderError('invalid-settings', problems.join('; '));
}
