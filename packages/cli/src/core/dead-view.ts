import type { StoredLetter } from '@baton/shared/messaging';

/** One element of `baton dead list -o json`. Fields are only ever added. */
export interface DeadView {
  id: number;
  at: string;
  service: string;
  kind: string;
  scaleSetId: string | null;
  /** The scale set's name; null when its spec is gone, or when the letter names none. */
  scaleSet: string | null;
  reason: string;
  /** The subject it came from, when it was a NATS message. */
  subject: string | null;
  /** Length of the body. */
  bytes: number;
  /** Parts of the body that are not there. */
  missingParts: number[];
}

/** What `baton dead show -o json` prints. */
export interface DeadDetails extends DeadView {
  origin: StoredLetter['origin'] | null;
  body: string;
}

/** `names`: of scale sets, by their internal ids. */
export function deadView(letter: StoredLetter, names: ReadonlyMap<string, string>): DeadView {
  const { id, at, service, kind, scaleSetId, reason, subject, bytes, missing } = letter;
  return {
    id,
    at,
    service,
    kind,
    scaleSetId: scaleSetId ?? null,
    scaleSet: (scaleSetId === undefined ? undefined : names.get(scaleSetId)) ?? null,
    reason,
    subject: subject ?? null,
    bytes,
    missingParts: missing,
  };
}

/** "312", "4.2k", "1.3M". */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes}`;
  if (bytes < 999_950) return `${(bytes / 1_000).toFixed(1)}k`;
  return `${(bytes / 1_000_000).toFixed(1)}M`;
}

/** The beginning of a text, at most `length` characters with the mark that there is more. */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/**
 * JSON on many lines, any other text as it is. Only white space is added: no digit of a 64-bit id is
 * lost. Control characters are left out, so that a terminal does not act on them.
 */
export function prettyBody(text: string): string {
  return indentJson(text).replace(/[^\P{Cc}\n\t]/gu, '');
}

function indentJson(text: string): string {
  if (!isJson(text)) return text;
  const tokens = text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g);
  let depth = 0;
  let out = '';
  let before = '';
  for (const [token] of tokens) {
    if (token === '}' || token === ']') depth -= 1;
    out += spaceBetween(before, token, depth) + token;
    if (token === '{' || token === '[') depth += 1;
    before = token;
  }
  return out;
}

function spaceBetween(before: string, token: string, depth: number): string {
  const closes = token === '}' || token === ']';
  const opened = before === '{' || before === '[';
  if (before === ':') return ' ';
  if ((opened && !closes) || before === ',' || (closes && !opened))
    return `\n${'  '.repeat(depth)}`;
  return '';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
