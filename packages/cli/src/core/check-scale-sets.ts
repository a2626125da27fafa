import { parseConfigUrl } from '@baton/scaleset';
import {
  type ScaleSetDeclaration,
  scaleSetDeclarationSchema,
  scaleSetFileSchema,
  scaleSetIdOf,
} from '@baton/shared/contracts';
import { ConfigError } from '@baton/shared/errors';
import { z } from 'zod';
import { findNearest } from './nearest.ts';

/** One thing that is wrong in a file. */
export interface Problem {
  path: readonly PropertyKey[];
  message: string;
}

/** One entry of a scale-set file. */
export interface DeclaredScaleSet {
  declaration: ScaleSetDeclaration;
  /** The entry says `enabled` itself; otherwise `baton enable` and `disable` decide. */
  saysEnabled: boolean;
}

type Checked =
  | { kind: 'ok'; scaleSets: DeclaredScaleSet[] }
  | { kind: 'refused'; problems: Problem[] };

/**
 * Checks the content of a scale-set file and finds everything that is wrong, not the first thing:
 * a schema stops looking at an entry's relations once one of its fields is bad, so these are
 * looked at here, on what was given. Pure.
 */
export function checkScaleSets(content: unknown, idOf = scaleSetIdOf): Checked {
  const parsed = scaleSetFileSchema.safeParse(content, { reportInput: true });
  const given = givenEntries(content);
  const own = [...findBadUrls(given), ...findBadCounts(given), ...findTwins(given, idOf)];
  const found = new Set(own.map(({ path }) => path.join('.')));
  const fromSchema = (parsed.error?.issues ?? [])
    .flatMap(problemsOf)
    .filter(({ path }) => !found.has(path.join('.')));
  const problems = [...fromSchema, ...own].sort((a, b) => entryOf(a) - entryOf(b));
  if (!parsed.success || problems.length > 0) return { kind: 'refused', problems };
  return {
    kind: 'ok',
    scaleSets: parsed.data.scaleSets.map((declaration, index) => ({
      declaration,
      saysEnabled: given[index]?.enabled !== undefined,
    })),
  };
}

type Given = Record<string, unknown>;

function givenEntries(content: unknown): Given[] {
  const file = z.looseObject({ scaleSets: z.array(z.unknown()) }).safeParse(content);
  return (file.data?.scaleSets ?? []).map((entry) => z.looseObject({}).safeParse(entry).data ?? {});
}

function findBadUrls(given: readonly Given[]): Problem[] {
  return given.flatMap(({ configUrl }, index) => {
    if (typeof configUrl !== 'string') return [];
    try {
      parseConfigUrl(configUrl);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const message = error.message.replace(/^githubConfigUrl /, '').replace(/\.$/, '');
      return [{ path: ['scaleSets', index, 'configUrl'], message }];
    }
  });
}

function findBadCounts(given: readonly Given[]): Problem[] {
  return given.flatMap(({ minRunners, maxRunners = 10 }, index) =>
    typeof minRunners === 'number' && typeof maxRunners === 'number' && minRunners > maxRunners
      ? [
          {
            path: ['scaleSets', index, 'minRunners'],
            message: `is ${minRunners}, which is above maxRunners (${maxRunners})`,
          },
        ]
      : [],
  );
}

/** Names that are given twice, and names that would share one internal id. */
function findTwins(given: readonly Given[], idOf: (name: string) => string): Problem[] {
  const first = new Map<string, { name: string; index: number }>();
  return given.flatMap(({ name }, index) => {
    if (typeof name !== 'string') return [];
    const id = idOf(name);
    const twin = first.get(id);
    if (!twin) {
      first.set(id, { name, index });
      return [];
    }
    const message =
      twin.name === name
        ? `"${name}" is declared already, in scaleSets[${twin.index}]`
        : `"${name}" and "${twin.name}" (scaleSets[${twin.index}]) have the same internal id "${id}": rename one`;
    return [{ path: ['scaleSets', index, 'name'], message }];
  });
}

function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = path.length === 0 ? ['scaleSets'] : Object.keys(scaleSetDeclarationSchema.shape);
    return issue.keys.map((key) => {
      const [near] = findNearest(key, known, 1);
      const hint = near ? `, did you mean "${near}"?` : '';
      return { path: [...path, key], message: `unknown key${hint}` };
    });
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    return [{ path, message: 'is required' }];
  }
  return [{ path, message: issue.message.replace(/^Invalid input: /, '') }];
}

/** Problems are told in the order of the entries. */
function entryOf({ path }: Problem): number {
  return typeof path[1] === 'number' ? path[1] : -1;
}
