interface Bounds {
  startMs: number;
  endMs: number;
}

interface Axis {
  zeroMs: number;
  endMs: number;
}

/**
 * Where a span lies between zero and the end, as text of `width` characters. What began before zero has an
 * arrow there.
 */
export function drawBar(
  span: Bounds,
  { zeroMs, endMs }: Axis,
  { width, ascii }: { width: number; ascii: boolean },
): string {
  const [mark, before] = ascii ? ['#', '<'] : ['█', '◀'];
  const column = (ms: number) => {
    const share = (ms - zeroMs) / Math.max(1, endMs - zeroMs);
    return Math.min(width, Math.max(0, share * width));
  };
  const first = Math.min(width - 1, Math.floor(column(span.startMs)));
  const last = Math.max(first + 1, Math.ceil(column(span.endMs)));
  const bar = mark.repeat(last - first);
  const shown = span.startMs < zeroMs - 0.5 ? `${before}${bar.slice(1)}` : bar;
  return `${' '.repeat(first)}${shown}`.padEnd(width);
}
