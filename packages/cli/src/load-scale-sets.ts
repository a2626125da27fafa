import { readFileSync } from 'node:fs';
import { ConfigError, errorText } from '@baton/shared/errors';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { checkScaleSets, type DeclaredScaleSet, type Problem } from './core/check-scale-sets.ts';

/**
 * Reads a scale-set file, YAML or JSON.
 * @throws ConfigError with every problem, its path and its line.
 */
export function loadScaleSets(file: string): DeclaredScaleSet[] {
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines, prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax) {
    const sentence = syntax.message.split('\n')[0] ?? syntax.message;
    throw new ConfigError(`${file}, line ${lines.linePos(syntax.pos[0]).line}: ${sentence}`);
  }
  const checked = checkScaleSets(contentOf(document, file));
  if (checked.kind === 'ok') return checked.scaleSets;
  const told = checked.problems.map((problem) => `  ${problemText(problem, document, lines)}`);
  const count = told.length === 1 ? '1 problem' : `${told.length} problems`;
  throw new ConfigError(`${file} has ${count}:\n${told.join('\n')}`);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`${file} cannot be read: ${errorText(cause)}`, { cause });
  }
}

/** The content as it will lie in the bucket: what JSON cannot hold is not there to be compared. */
function contentOf(document: Document, file: string): unknown {
  try {
    const content: unknown = JSON.parse(JSON.stringify(document.toJS()));
    if (content !== null) return content;
  } catch (cause) {
    throw new ConfigError(`${file} cannot be read: ${errorText(cause)}`, { cause });
  }
  throw new ConfigError(`${file} is empty: it needs a list "scaleSets"`);
}

function problemText({ path, message }: Problem, document: Document, lines: LineCounter): string {
  const place = path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
  const line = findLine(path, document, lines);
  return `${place || '(top)'}: ${message}${line === undefined ? '' : ` (line ${line})`}`;
}

/** The line of the value at a path, or of the nearest thing around it that is there. */
function findLine(
  path: readonly PropertyKey[],
  document: Document,
  lines: LineCounter,
): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const found: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(found) && found.range) return lines.linePos(found.range[0]).line;
  }
  return undefined;
}
