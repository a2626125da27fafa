import { readFileSync } from 'node:fs';
import { logComponents } from '@baton/shared/telemetry';
import { expect, test } from 'vitest';
import { declaredFields, type LogCall, logCalls } from './log-events.ts';

const page = '../../docs/logs.md';
const text = readFileSync(new URL(page, import.meta.url), 'utf8');
const calls = logCalls();
const fields = declaredFields();

test('there are as many events as there should be', () => {
  expect(calls.length).toBeGreaterThan(130);
  expect(fields.length).toBeGreaterThan(80);
});

test('an event is a constant text in lower case, so that lines can be counted by it', () => {
  const wrong = calls.filter(({ event }) => !event || !/^[a-z][^.]*[^.\s]$/.test(event));

  expect(wrong).toEqual([]);
});

test('the fields of an event can be read off the source: none is spread into it', () => {
  expect(calls.filter((call) => call.fields.includes('?')).map(({ at }) => at)).toEqual([]);
});

test('a field that is declared has a meaning, and is used', () => {
  const used = new Set(['component', ...calls.flatMap((call) => call.fields)]);

  expect(fields.filter(({ meaning }) => meaning === '')).toEqual([]);
  expect(fields.filter(({ name }) => !used.has(name)).map(({ name }) => name)).toEqual([]);
});

test.each(logComponents)('the page says what the component %s is', (component) => {
  expect(text).toContain(`| \`${component}\``);
});

/** `pnpm vitest run test/docs/logs.test.ts -u` writes it anew. */
test('the page lists the fields and the events that the sources have', async () => {
  const whole = [
    ['fields', fieldTable()] as const,
    [
      'events',
      owners.map(([owner, title]) => `### ${title}\n\n${eventTable(owner)}`).join('\n\n'),
    ] as const,
  ].reduce((now, [name, table]) => replaced(now, name, table), text);

  await expect(whole).toMatchFileSnapshot(page);
});

const owners = [
  ['services/listener', 'Listener'],
  ['services/provisioner', 'Provisioner'],
  ['services/janitor', 'Janitor'],
  ['packages/scaleset', 'Calls to GitHub, in every service'],
  ['packages/shared', 'Every service'],
] as const;

function fieldTable(): string {
  return tableOf(
    ['field', 'meaning'],
    fields.map(({ name, meaning }) => [`\`${name}\``, meaning]),
  );
}

function eventTable(owner: string): string {
  const byEvent = new Map<string, LogCall[]>();
  for (const call of calls.filter((one) => one.owner === owner)) {
    const { event = '' } = call;
    byEvent.set(event, [...(byEvent.get(event) ?? []), call]);
  }
  const rows = [...byEvent]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([event, same]) => [
      event,
      unique(same.map(({ level }) => level)).join(', '),
      unique(same.flatMap((call) => call.fields))
        .map((name) => `\`${name}\``)
        .join(', '),
    ]);
  return tableOf(['event', 'level', 'fields'], rows);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

function tableOf(headings: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |');
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The page with the part between the marks of that name written anew. */
function replaced(whole: string, name: string, part: string): string {
  const [begin, end] = [
    `<!-- ${name}: written by test/docs/logs.test.ts -->`,
    `<!-- end of ${name} -->`,
  ];
  const [before = '', rest = ''] = whole.split(begin);
  const [, after = ''] = rest.split(end);
  expect(rest).toContain(end);
  return `${before}${begin}\n\n${part}\n\n${end}${after}`;
}
