import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError, errorText } from '../errors/index.ts';
import { Secret } from './secret.ts';

type Env = Record<string, string | undefined>;
/** A configuration key, the environment variable it comes from, and how it is read. */
export type Variables = Record<string, { variable: string; schema: z.ZodType }>;
type ConfigOf<V extends Variables> = { [K in keyof V]: z.infer<V[K]['schema']> };

/**
 * Reads a configuration from environment variables, all at once. `NAME_FILE` names a file that
 * holds the value of `NAME`. An empty variable or file counts as absent.
 * @throws ConfigError with one line for each problem: the variable, what is wrong, never its value.
 */
export function loadConfig<V extends Variables>(variables: V, env: Env): ConfigOf<V> {
  const problems: string[] = [];
  const shape: Record<string, z.ZodType> = {};
  const input: Record<string, string | undefined> = {};
  const unreadable = new Set<string>();
  for (const [key, { variable, schema }] of Object.entries(variables)) {
    shape[key] = schema;
    const known = problems.length;
    input[key] = readVariable(env, variable, problems);
    if (problems.length > known) unreadable.add(key);
  }
  const parsed = z.object(shape).safeParse(input);
  for (const issue of parsed.error?.issues ?? []) {
    const key = String(issue.path[0]);
    const { variable, schema } = variables[key] ?? {};
    const missing = input[key] === undefined;
    if (missing && unreadable.has(key)) continue;
    const meaning = schema?.description ? ` (${schema.description})` : '';
    problems.push(`  ${variable}: ${missing ? 'is not set' : issue.message}${meaning}`);
  }
  if (problems.length > 0 || !parsed.success) {
    throw new ConfigError(`the configuration cannot be used:\n${problems.join('\n')}`);
  }
  return Object.freeze(parsed.data) as ConfigOf<V>;
}

function readVariable(env: Env, variable: string, problems: string[]): string | undefined {
  const path = env[`${variable}_FILE`];
  if (!path) return env[variable] || undefined;
  if (!existsSync(path)) {
    problems.push(`  ${variable}_FILE: there is no file ${path}`);
    return undefined;
  }
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch (error) {
    problems.push(`  ${variable}_FILE: ${errorText(error)}`);
    return undefined;
  }
}

/** A whole number of ms, given in ms. */
export function milliseconds(defaultMs: number, minMs = 1): z.ZodType<number> {
  return wholeNumber({ default: defaultMs, min: minMs, max: 86_400_000 });
}

interface Range {
  default: number;
  min: number;
  max: number;
}

/** Says what was found, unless it is no number at all: that may be anything, a secret too. */
export function wholeNumber(range: Range): z.ZodType<number> {
  const allowed = `allowed is a whole number from ${range.min} to ${range.max}`;
  return z.coerce
    .number({ error: `is not a number; ${allowed}` })
    .refine((n) => Number.isInteger(n) && n >= range.min && n <= range.max, {
      error: ({ input }) => `is ${String(input)}; ${allowed}`,
    })
    .default(range.default);
}

export const secretSchema = z
  .string()
  .min(1)
  .transform((value) => new Secret(value));

export const flagSchema = z.stringbool().default(false);
