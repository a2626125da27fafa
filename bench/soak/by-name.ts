/** What is read for each name, all at once. */
export async function byName<T, R>(
  items: Iterable<readonly [string, T]>,
  read: (item: T) => Promise<R>,
): Promise<Record<string, R>> {
  const found = [...items].map(async ([name, item]) => [name, await read(item)] as const);
  return Object.fromEntries(await Promise.all(found));
}
