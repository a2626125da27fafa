import { z } from 'zod';
import { absolutePath, engineAddressSchema } from './engine-address.ts';
import { imageSchema } from './image-reference.ts';

export const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not a variable name');
const milliseconds = z.int().min(1).max(86_400_000);
const bindSchema = z.strictObject({
  source: absolutePath,
  target: absolutePath,
  readOnly: z.boolean().default(true),
});

/** What one container may use. */
export const resourcesSchema = z.strictObject({
  cpus: z.number().min(0.01).optional(),
  memoryMiB: z.int().min(6).optional(),
  pidsLimit: z.int().min(1).optional(),
});

/** The Docker daemon that a runner gets for itself, in a container beside it. */
const dindSchema = z.strictObject({
  image: imageSchema.default('docker:28-dind'),
  command: z
    .array(z.string())
    .min(1)
    .default(['dockerd', '--host=unix:///run/runner-docker/docker.sock', '--group=123']),
  privileged: z.boolean().default(true),
  runtime: z.string().optional(),
  env: z.record(variableName, z.string()).default({}),
  socket: absolutePath.default('/run/runner-docker/docker.sock'),
  sharedFolders: z.array(absolutePath).default(['/home/runner/_work', '/home/runner/externals']),
  readyCommand: z
    .array(z.string())
    .min(1)
    .default(['docker', '--host=unix:///run/runner-docker/docker.sock', 'version']),
  readyTimeoutMs: milliseconds.default(60_000),
});

/** Runners as containers of a Docker engine. docs/providers/docker.md explains every field. */
export const dockerDefinitionSchema = z
  .strictObject({
    type: z.literal('docker'),
    engine: engineAddressSchema.default({ socket: '/var/run/docker.sock' }),
    maxInstances: z.int().min(1).max(10_000).default(20),
    image: imageSchema.default('ghcr.io/actions/actions-runner:latest'),
    allowedImages: z.array(z.string().min(1)).default([]),
    command: z.array(z.string()).min(1).default(['/home/runner/run.sh']),
    env: z.record(variableName, z.string()).default({}),
    network: z.string().min(1).default('bridge'),
    binds: z.array(bindSchema).default([]),
    runtime: z.string().optional(),
    shmMiB: z.int().min(1).optional(),
    limits: resourcesSchema.default({}),
    maxima: resourcesSchema.default({}),
    allowedLabels: z.array(z.string().min(1)).default([]),
    registries: z
      .record(z.string(), z.strictObject({ username: z.string(), passwordFile: absolutePath }))
      .default({}),
    pullPolicy: z.enum(['missing', 'always', 'never']).default('missing'),
    pullTimeoutMs: milliseconds.default(600_000),
    startTimeoutMs: milliseconds.default(60_000),
    stopTimeoutMs: z.int().min(0).max(3_600_000).default(10_000),
    dind: dindSchema.optional(),
  })
  .superRefine(({ limits, maxima }, context) => {
    for (const name of ['cpus', 'memoryMiB', 'pidsLimit'] as const) {
      const maximum = maxima[name];
      if (maximum !== undefined && (limits[name] ?? 0) > maximum)
        context.addIssue({
          code: 'custom',
          path: ['limits', name],
          message: `is above maxima.${name}`,
        });
    }
  });

export type DockerDefinition = z.output<typeof dockerDefinitionSchema>;
export type DindDefinition = z.output<typeof dindSchema>;
