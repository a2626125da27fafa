import { createHash } from 'node:crypto';
import { z } from 'zod';

/** A NATS subject token that is also a sane name for files, pods and containers. */
export const tokenSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes, at most 63');

/** At most 12 characters: it is part of every runner name, and GitHub allows 64 for those. */
export const installationIdSchema = z
  .string()
  .regex(/^[a-z0-9]{1,12}$/, 'lower-case letters and digits, at most 12');

/** What the operator declares for one scale set; also one entry of a scale-set file. */
export const scaleSetDeclarationSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, . _ -, at most 64'),
    configUrl: z.url({ protocol: /^https?$/ }),
    credential: tokenSchema,
    group: z.string().min(1).default('default'),
    /** Extra `runs-on` labels; the scale set's name is always one. */
    labels: z.array(z.string().min(1).max(255)).max(50).default([]),
    minRunners: z.int().min(0).max(10_000).default(0),
    maxRunners: z.int().min(0).max(10_000).default(10),
    provider: tokenSchema,
    /** Its part of what is free in the provider, compared to the other scale sets there. */
    weight: z.number().min(0.01).max(1_000).default(1),
    /** Settings that the provider itself understands and checks. */
    settings: z.record(z.string(), z.unknown()).default({}),
    bootstrapTimeoutSeconds: z.int().min(10).max(86_400).default(1_200),
    /** A runner that is not online by then, while jobs wait, is given a spare. */
    spareAfterSeconds: z.int().min(1).max(86_400).default(240),
    /** Start of every runner name; the scale set's name when absent. */
    runnerNamePrefix: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,35}$/, 'letters, digits and dashes, at most 36')
      .optional(),
    enabled: z.boolean().default(true),
    /** Take over a scale set of this name that somebody else created on GitHub. */
    adopt: z.boolean().default(false),
  })
  .refine((set) => set.minRunners <= set.maxRunners, {
    path: ['minRunners'],
    error: 'must not be above maxRunners',
  });
export type ScaleSetDeclaration = z.infer<typeof scaleSetDeclarationSchema>;

/** A scale-set file: what `baton apply -f` reads. */
export const scaleSetFileSchema = z.strictObject({
  scaleSets: z.array(scaleSetDeclarationSchema).min(1),
});

/** A declaration as it lies in the `specs` bucket. Written by the CLI only. */
export const specSchema = z.looseObject({
  v: z.literal(1),
  installationId: installationIdSchema,
  scaleSetId: tokenSchema,
  declaration: z.looseObject(scaleSetDeclarationSchema.shape),
  /** Hash of what shapes a runner; runners of another generation are rotated out. */
  generation: z.string(),
  /** The scale set is being drained for deletion. */
  deleting: z.boolean().default(false),
  updatedAt: z.iso.datetime(),
});
export type Spec = z.infer<typeof specSchema>;

/** The stable internal id of a scale set: readable, and the same for whoever computes it. */
export function scaleSetIdOf(name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  return `${slug || 'set'}-${shortHash(name)}`;
}

/** The start of the names of a scale set's runners. */
export function runnerNamePrefix({
  name,
  runnerNamePrefix: declared,
}: Pick<ScaleSetDeclaration, 'name' | 'runnerNamePrefix'>): string {
  return declared ?? name.replace(/[^A-Za-z0-9-]/g, '-').slice(0, 36);
}

/** The generation of the runners that a declaration asks for; the order of keys is no part of it. */
export function generationOf(declaration: ScaleSetDeclaration): string {
  const { provider, settings } = declaration;
  return shortHash(JSON.stringify([provider, ordered(settings)]));
}

/** The same value, with the keys of every object in order. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, ordered(inner)]));
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
