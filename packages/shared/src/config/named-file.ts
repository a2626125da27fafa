import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { z } from 'zod';
import { ConfigError, errorText } from '../errors/index.ts';

/**
 * Reads a YAML or JSON file and checks it, reporting every problem with its path.
 * @throws ConfigError that names the file, the places and what is wrong there; never values.
 */
export function loadFile<S extends z.ZodType>(path: string, schema: S, what: string): z.infer<S> {
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'), { prettyErrors: true });
  } catch (cause) {
    // Without the cause: the parser quotes the line, and it may hold a secret.
    throw new ConfigError(`${what} ${path} cannot be read: ${firstLine(errorText(cause))}`);
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `  ${pathText(issue.path)}: ${issue.message}`,
  );
  throw new ConfigError(`${what} ${path} has ${count(problems.length)}:\n${problems.join('\n')}`);
}

function pathText(path: readonly PropertyKey[]): string {
  return (
    path
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
      .join('')
      .replace(/^\./, '') || '(top)'
  );
}

function count(problems: number): string {
  return problems === 1 ? '1 problem' : `${problems} problems`;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}
