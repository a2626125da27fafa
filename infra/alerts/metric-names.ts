/** What is no metric, though it is written as one. */
const words = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);

/**
 * The metrics that a PromQL expression names, each once. Whatever is left when strings, selectors, ranges,
 * groupings, numbers and functions are taken away is one, so a name that is misspelt is one, too. Pure.
 */
export function metricNamesOf(expr: string): string[] {
  const rest = expr
    .replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g, '')
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replace(/\b(?:group_left|group_right)\b/g, ' ')
    .replace(/\boffset\s+\w+/g, ' ');
  const names = [...rest.matchAll(/(?<![\w.:])[A-Za-z_:][\w:]*(?!\s*\(|[\w:])/g)].map(
    ([name]) => name,
  );
  return [...new Set(names)].filter((name) => !words.has(name.toLowerCase()));
}
