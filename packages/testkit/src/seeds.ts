/**
 * Seeds for tests that play with random numbers: those that `variable` of the environment names, "17" or
 * "1-50", otherwise `standard`, written the same way.
 */
export function seedsOf(variable: string, standard: string): number[] {
  const text = process.env[variable] ?? standard;
  const [first = Number.NaN, last = first] = text.split('-').map(Number);
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || last < first) {
    throw new Error(`${variable} is neither a number nor a range such as 1-50: ${text}`);
  }
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
