/** Wall clock of the host, ms with fractions: the same for all its processes. */
export function hostNow(): number {
  return performance.timeOrigin + performance.now();
}
