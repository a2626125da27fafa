import { describe, expect, test } from 'vitest';
import { changedText, type LogLevelView, levelsText } from './log-level-view.ts';

const until = '2026-01-01T00:10:00.000Z';

function view(levels: Record<string, string>, changed: readonly string[] = []): LogLevelView {
  const process = { service: 'listener', instance: 'listener-0', incarnation: 'a' };
  return {
    ...process,
    levels: Object.entries(levels).map(([component, level]) => ({
      component,
      level,
      configured: 'info',
      until: changed.includes(component) ? until : null,
    })),
  };
}

describe('levelsText', () => {
  test.each([
    ['info', { poll: 'info', nats: 'info', lease: 'info' }],
    ['info,poll=debug', { poll: 'debug', nats: 'info', lease: 'info' }],
    ['warn,lease=error', { poll: 'warn', nats: 'warn', lease: 'error' }],
    ['', {}],
  ])('is "%s"', (text, levels) => {
    expect(levelsText(view(levels))).toBe(text);
  });
});

describe('changedText', () => {
  const levels = { poll: 'debug', nats: 'debug' };

  test.each([
    [null, []],
    [`poll until ${until}`, ['poll']],
    [`all until ${until}`, ['poll', 'nats']],
  ])('is "%s"', (text, changed) => {
    expect(changedText(view(levels, changed))).toBe(text);
  });
});
