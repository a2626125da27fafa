import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { conditionTypes, runnerStates, sweepNames, waitReasons } from '@baton/shared/contracts';
import { systemClock } from '@baton/shared/time';
import { expect, test } from 'vitest';
import { alertRules } from '../../infra/alerts/read-rules.ts';
import { runBaton } from '../../packages/cli/src/program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(`${root}docs/runbook.md`, 'utf8');

/** A section, up to the next of its level. */
function section(title: string): string {
  const [, rest = ''] = text.split(`\n## ${title}\n`);
  return rest.split('\n## ')[0] ?? '';
}

test.each([
  ...conditionTypes.map((name) => ['Conditions', name] as const),
  ...waitReasons.map((name) => ['Jobs wait', name] as const),
  ...sweepNames.map((name) => ['A sweep is held', name] as const),
])('under "%s" the runbook says what to do about %s', (title, name) => {
  const rows = section(title)
    .split('\n')
    .filter((line) => line.startsWith('| `'));

  expect(rows.filter((row) => row.split('|')[1]?.includes(`\`${name}\``))).toHaveLength(1);
});

test('every state in which a runner can be stuck is told', () => {
  const passing = new Set(['completed', 'failed', 'lost']);

  expect(
    runnerStates.filter((state) => !passing.has(state) && !text.includes(`\`${state}\``)),
  ).toEqual([]);
});

/** As GitHub makes the anchor of a title. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}

const anchors = [...text.matchAll(/^## (.+)$/gm)].map(([, title = '']) => anchorOf(title));
const links = [...text.matchAll(/\(#([a-z0-9-]+)\)/g)].map(([, anchor = '']) => anchor);

test.each(links)('the link to #%s leads to a section', (anchor) => {
  expect(anchors).toContain(anchor);
});

/** Each alert of the table, and the section that it leads to. */
const listed = [...section('Alerts').matchAll(/^\| `(\w+)` .+\(#([a-z0-9-]+)\)/gm)].map(
  ([, alert = '', anchor = '']) => [alert, anchor] as const,
);

test.each(alertRules)('the runbook says what to do about $alert', ({ alert, annotations }) => {
  const [file, anchor = ''] = annotations.runbook.split('#');

  expect(file).toBe('docs/runbook.md');
  expect(anchors).toContain(anchor);
  expect(listed.filter(([name]) => name === alert)).toEqual([[alert, anchor]]);
});

test('the runbook lists no alert that there is not', () => {
  const known = alertRules.map(({ alert }) => alert);

  expect(listed.map(([name]) => name).filter((name) => !known.includes(name))).toEqual([]);
});

const commands = [
  ...new Set([...text.matchAll(/baton ([a-z][^`#|\n]*)/g)].map(([, words = '']) => words.trim())),
].filter((words) =>
  /^(apply|delete|describe|disable|doctor|dead|enable|get|runner|sweep|topology)\b/.test(words),
);

test.each(commands)('the command "baton %s" exists, with its options', async (words) => {
  let out = '';
  const output = { write: (part: string) => (out += part) };
  const name = words.split(' ').filter((word) => /^[a-z]+$/.test(word));
  const io = { env: {}, stdout: output, stderr: output, clock: systemClock };

  const code = await runBaton([...name, '--help'], io);

  expect(code).toBe(0);
  expect(
    [...words.matchAll(/ (--?[a-z-]+)/g)].filter(([, option = '']) => !out.includes(option)),
  ).toEqual([]);
});

const sources = globSync(['services/*/src/**/*.ts', 'packages/*/src/**/*.ts'], { cwd: root })
  .filter((file) => !file.includes('.test.'))
  .map((file) => readFileSync(root + file, 'utf8'))
  .join('\n');
const names = [...new Set([...text.matchAll(/`?(baton_[a-z_]+)/g)].map(([, name = '']) => name))];

test.each(names)('the metric %s exists', (name) => {
  expect(sources.includes(`'${name}'`)).toBe(true);
});

const variables = [
  ...new Set([...text.matchAll(/`(BATON_[A-Z_]+)`/g)].map(([, name = '']) => name)),
];

test.each(variables)('the variable %s exists', (name) => {
  expect(sources.includes(`'${name}'`)).toBe(true);
});
