import { readFileSync } from 'node:fs';
import { runnerStates } from '@baton/shared/contracts';
import { marksFrom, transitions } from '@baton/shared/runners';
import { expect, test } from 'vitest';

const text = readFileSync(new URL('../../docs/runner-life.md', import.meta.url), 'utf8');

/** The cells of the row that begins with this word, in the section's table. */
function row(section: string, word: string): string[] {
  const lines = text.slice(text.indexOf(section)).split('\n');
  const line = lines.find((one) => one.startsWith(`| \`${word}\``)) ?? '';
  return line.split('|').map((cell) => cell.trim());
}

function listOf(states: readonly string[]): string {
  return states.length === 0 ? '–' : states.map((state) => `\`${state}\``).join(', ');
}

test.each(runnerStates)('the life of a runner tells what %s is', (state) => {
  expect(row('## States', state)).toHaveLength(5);
});

test.each(Object.entries(transitions))('%s moves as the life of a runner says', (kind, move) => {
  const [, , , from, to] = row('## Observations', kind);

  expect([from, to]).toEqual([listOf(move.from), listOf(move.to)]);
});

test.each(Object.entries(marksFrom))(
  'a mark because of %s takes what is said there',
  (reason, from) => {
    expect(row('## Marks', reason)[4]).toBe(listOf(from));
  },
);
