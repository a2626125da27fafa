/** The labels that a scale set is to have: its name, which is always one, and the declared ones. Pure. */
export function wantedLabels(name: string, labels: readonly string[]): string[] {
  return [...new Set([name, ...labels])];
}

/** The wanted labels that GitHub does not have; it compares them without case. Pure. */
export function missingLabels(wanted: readonly string[], kept: readonly string[]): string[] {
  const known = new Set(kept.map((label) => label.toLowerCase()));
  return wanted.filter((label) => !known.has(label.toLowerCase()));
}
