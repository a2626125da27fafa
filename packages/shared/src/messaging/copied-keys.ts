/** A value as a copy holds it. Shared by all who read the copy: not to be changed. */
export interface Copied<T> {
  readonly key: string;
  readonly value: T;
  readonly revision: number;
}

/** The mark that a key was deleted. */
interface CopiedMark {
  readonly key: string;
  readonly revision: number;
  readonly deletedAt: Date;
}

/** What a copy knows of a key. */
export type CopiedLookup<T> =
  | ({ kind: 'found' } & Copied<T>)
  | ({ kind: 'deleted' } & CopiedMark)
  | { kind: 'never' };

/** Keys and what they hold, by their first part. Of two writes to a key the later one counts. */
export class CopiedKeys<T> {
  readonly #groups = new Map<string, Map<string, Copied<T>>>();
  readonly #marks = new Map<string, CopiedMark>();
  #size = 0;
  #all: readonly Copied<T>[] | undefined;

  /** How many keys hold a value. */
  get size(): number {
    return this.#size;
  }

  get marks(): CopiedMark[] {
    return [...this.#marks.values()];
  }

  /** The same array until something changes. */
  all(): readonly Copied<T>[] {
    this.#all ??= [...this.#groups.values()].flatMap((group) => [...group.values()]);
    return this.#all;
  }

  /** The values whose key begins with this part. */
  under(part: string): Copied<T>[] {
    return [...(this.#groups.get(part)?.values() ?? [])];
  }

  lookup(key: string): CopiedLookup<T> {
    const found = this.#value(key);
    if (found) return { kind: 'found', ...found };
    const mark = this.#marks.get(key);
    return mark ? { kind: 'deleted', ...mark } : { kind: 'never' };
  }

  set(entry: Copied<T>): void {
    const { key } = entry;
    if (this.#knowsLater(entry)) return;
    this.#marks.delete(key);
    const part = firstPart(key);
    const group = this.#groups.get(part) ?? new Map<string, Copied<T>>();
    this.#groups.set(part, group);
    if (!group.has(key)) this.#size += 1;
    group.set(key, entry);
    this.#all = undefined;
  }

  mark(mark: CopiedMark): void {
    if (this.#knowsLater(mark)) return;
    this.drop(mark);
    this.#marks.set(mark.key, mark);
  }

  /** Forgets whatever the key held before this revision. */
  drop(write: { key: string; revision: number }): void {
    const { key } = write;
    if (this.#knowsLater(write)) return;
    this.#marks.delete(key);
    const part = firstPart(key);
    const group = this.#groups.get(part);
    if (!group?.delete(key)) return;
    this.#size -= 1;
    this.#all = undefined;
    if (group.size === 0) this.#groups.delete(part);
  }

  #knowsLater({ key, revision }: { key: string; revision: number }): boolean {
    const known = this.#value(key) ?? this.#marks.get(key);
    return known !== undefined && known.revision > revision;
  }

  #value(key: string): Copied<T> | undefined {
    return this.#groups.get(firstPart(key))?.get(key);
  }
}

function firstPart(key: string): string {
  const end = key.indexOf('.');
  return end < 0 ? key : key.slice(0, end);
}
