import { isAbsolute } from 'node:path';
import { z } from 'zod';

const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path');
const osTypeSchema = z.enum(['linux', 'windows']);
const osArchSchema = z.enum(['amd64', 'i386', 'arm64', 'arm']);
const extraSpecsSchema = z.record(z.string(), z.json()).nullable();

/** A scale set's settings for an external provider. What is absent comes from the definition. */
export const externalSettingsSchema = z.strictObject({
  image: z.string().min(1).optional(),
  flavor: z.string().min(1).optional(),
  osType: osTypeSchema.optional(),
  osArch: osArchSchema.optional(),
  runnerGroup: z.string().min(1).optional(),
  extraSpecs: extraSpecsSchema.optional(),
});
export type ExternalSettings = z.output<typeof externalSettingsSchema>;

const settingNames = externalSettingsSchema.keyof();

const toolSchema = z.strictObject({
  os: z.enum(['linux', 'win', 'osx']),
  arch: z.enum(['x64', 'arm', 'arm64']),
  url: z.url({ protocol: /^(https?|file)$/ }),
  filename: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be the name of a file'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits'),
});

/** Never handed on, whatever a definition says: the names that the protocol itself uses. */
const prefixSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the start of a variable name')
  .refine((prefix) => !prefix.startsWith('GARM'), 'names with GARM in front are never handed on');

/** It stands in a shell script, in quotes. */
const proxyValueSchema = z
  .string()
  .regex(/^[^\s'"{}\\]*$/, 'must be without blanks, quotes, braces and backslashes')
  .default('');

/** Runners on whatever a provider executable of GARM can drive. */
export const externalDefinitionSchema = z.strictObject({
  type: z.literal('external'),
  executable: absolutePath.describe('The provider program.'),
  configFile: absolutePath.describe('Its own configuration; Baton does not read it.'),
  interfaceVersion: z
    .enum(['v0.1.0', 'v0.1.1'])
    .default('v0.1.0')
    .describe('v0.1.1 sends the pool and its extra specs with every command.'),
  environmentVariables: z
    .array(prefixSchema)
    .default([])
    .describe("Starts of the names of the service's variables that it may see, besides proxies."),
  execTimeoutMs: z.int().min(1_000).max(3_600_000).default(300_000),
  maxInstances: z.int().min(1).max(100_000).default(100),
  concurrency: z
    .int()
    .min(1)
    .max(200)
    .default(10)
    .describe('How many creates run at once, and as many other commands.'),
  listEveryMs: z.int().min(500).max(600_000).default(10_000),
  maxOutputBytes: z
    .int()
    .min(1_024)
    .max(256 * 1024 * 1024)
    .default(8 * 1024 * 1024),
  defaults: externalSettingsSchema.omit({ extraSpecs: true }).prefault({}),
  allowedSettings: z
    .array(settingNames)
    .default(['image', 'flavor', 'osType', 'osArch', 'runnerGroup'])
    .describe('What a scale set may say itself; extraSpecs reach deep and must be named here.'),
  tools: z
    .array(toolSchema)
    .default([])
    .describe('Builds of actions/runner for instances whose image has none.'),
  caCertFile: absolutePath.optional().describe('PEM certificates that instances must trust.'),
  proxy: z
    .strictObject({
      http: proxyValueSchema,
      https: proxyValueSchema,
      noProxy: proxyValueSchema,
    })
    .prefault({})
    .describe('For the instances; that of the executable is in the environment.'),
  sshKeys: z.array(z.string().min(1)).default([]),
  extraPackages: z.array(z.string().min(1)).default([]),
  updateOnBoot: z.boolean().default(false),
});
export type ExternalDefinition = z.output<typeof externalDefinitionSchema>;
