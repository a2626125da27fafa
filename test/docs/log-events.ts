import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ObjectExpression, type Program, parseSync, Visitor } from 'oxc-parser';

/** One place in the sources at which something is logged. */
export interface LogCall {
  /** `services/listener`, `packages/shared`: whose event it is. */
  owner: string;
  /** File and line. */
  at: string;
  level: string;
  /** The constant text; undefined for anything else, which the test refuses. */
  event: string | undefined;
  /** Names; "?" for what cannot be read off the source. */
  fields: string[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const levels = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);

/** Every call of a logger in what runs in production. */
export function logCalls(): LogCall[] {
  return globSync(['services/*/src/**/*.ts', 'packages/{shared,scaleset,providers}/src/**/*.ts'], {
    cwd: root,
  })
    .filter((file) => !/\.test\.ts$|\/testing\//.test(file))
    .toSorted()
    .flatMap(callsIn);
}

function callsIn(file: string): LogCall[] {
  const source = readFileSync(root + file, 'utf8');
  const { program } = parseSync(file, source);
  const objects = objectsIn(program);
  const calls: LogCall[] = [];
  new Visitor({
    CallExpression: ({ callee, arguments: given, start }) => {
      if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return;
      const level = callee.property.name;
      if (
        !levels.has(level) ||
        !/\blog$/.test(source.slice(callee.object.start, callee.object.end))
      )
        return;
      const text = given.at(-1);
      const event =
        text?.type === 'Literal' && typeof text.value === 'string' ? text.value : undefined;
      const fields = given.slice(0, -1).flatMap((one) => keysOf(one, objects));
      const line = source.slice(0, start).split('\n').length;
      const owner = file.split('/').slice(0, 2).join('/');
      calls.push({ owner, at: `${file}:${line}`, level, event, fields });
    },
  }).visit(program);
  return calls;
}

/** Object literals that a constant is set to, by its name. */
function objectsIn(program: Program): ReadonlyMap<string, ObjectExpression> {
  const objects = new Map<string, ObjectExpression>();
  new Visitor({
    VariableDeclarator: ({ id, init }) => {
      if (id.type === 'Identifier' && init?.type === 'ObjectExpression') objects.set(id.name, init);
    },
  }).visit(program);
  return objects;
}

function keysOf(node: { type: string }, objects: ReadonlyMap<string, ObjectExpression>): string[] {
  const object = isObject(node) ? node : objects.get(isNamed(node) ? node.name : '');
  if (!object) return ['?'];
  return object.properties.map((property) =>
    property.type === 'Property' && property.key.type === 'Identifier' ? property.key.name : '?',
  );
}

function isObject(node: { type: string }): node is ObjectExpression {
  return node.type === 'ObjectExpression';
}

function isNamed(node: { type: string }): node is { type: string; name: string } {
  return node.type === 'Identifier';
}

/** Every declared field with its comment. */
export function declaredFields(): { name: string; meaning: string }[] {
  const file = 'packages/shared/src/telemetry/log-fields.ts';
  const source = readFileSync(root + file, 'utf8');
  const { program, comments } = parseSync(file, source);
  const fields: { name: string; meaning: string }[] = [];
  new Visitor({
    TSPropertySignature: ({ key, start }) => {
      if (key.type !== 'Identifier') return;
      const comment = comments.findLast(
        ({ end }) => end <= start && source.slice(end, start).trim() === '',
      );
      const meaning = (comment?.value ?? '').replace(/^\*|\s*\n\s*\*/g, ' ').trim();
      fields.push({ name: key.name, meaning });
    },
  }).visit(program);
  return fields;
}
