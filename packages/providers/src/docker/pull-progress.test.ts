import { describe, expect, test } from 'vitest';
import { PullProgress, pullLineSchema } from './pull-progress.ts';

function percents(lines: readonly unknown[]): number[] {
  const progress = new PullProgress();
  return lines.map((line) => {
    progress.add(pullLineSchema.parse(line));
    return progress.percent;
  });
}

const fetching = (id: string, current: number, total: number) => ({
  id,
  status: 'Downloading',
  progressDetail: { current, total },
});

describe('PullProgress', () => {
  test('counts bytes, and a layer of unknown size as an average one', () => {
    const seen = percents([
      { status: 'Pulling from acme/runner', id: '1' },
      { status: 'Pulling fs layer', id: 'a' },
      { status: 'Pulling fs layer', id: 'b' },
      fetching('a', 50, 100),
      fetching('b', 0, 300),
      fetching('a', 100, 100),
      { status: 'Download complete', id: 'b' },
      { status: 'Extracting', id: 'b', progressDetail: { current: 1, total: 300 } },
    ]);

    expect(seen).toEqual([0, 0, 0, 25, 25, 25, 100, 100]);
  });

  test('is done with layers that are there already', () => {
    expect(percents([{ status: 'Already exists', id: 'a' }, fetching('b', 3, 4)])).toEqual([0, 75]);
  });
});
