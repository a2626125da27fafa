/** Since when something is missing, of the monotonic clock in ms, and in how many fresh lists. */
interface Absence {
  sinceMs: number;
  looks: number;
}

export type Absences = ReadonlyMap<string, Absence>;

/** One fresh list, held against what should be on it. */
interface Look {
  /** What is old enough to be on the list. */
  known: readonly string[];
  isListed: (id: string) => boolean;
  /** Of the monotonic clock. */
  nowMs: number;
}

/** How long something must be missing, in ms. */
interface Patience {
  ms: number;
  /** When most of what is known is missing at once: the list itself may be wrong. */
  mostMs: number;
}

/** Whether a list leaves out so much of what should be on it that it may itself be wrong. */
export function isSuspicious({ known, missing }: { known: number; missing: number }): boolean {
  return known >= 4 && missing * 2 > known;
}

/**
 * What is gone for good. One list proves nothing: an id must be missing in two lists and for `ms`. A
 * list without more than half of at least four ids is suspicious, and condemns only what is missing in
 * three and for `mostMs`. Whatever is listed again, or not known any more, is forgotten.
 */
export function judgeAbsence(
  before: Absences,
  { known, isListed, nowMs }: Look,
  { ms, mostMs }: Patience,
): { absences: Absences; gone: string[] } {
  const missing = known.filter((id) => !isListed(id));
  const suspicious = isSuspicious({ known: known.length, missing: missing.length });
  const absences = new Map<string, Absence>();
  const gone: string[] = [];
  for (const id of missing) {
    const { sinceMs, looks } = before.get(id) ?? { sinceMs: nowMs, looks: 0 };
    absences.set(id, { sinceMs, looks: looks + 1 });
    const enough = suspicious ? looks + 1 >= 3 : looks + 1 >= 2;
    if (enough && nowMs - sinceMs >= (suspicious ? mostMs : ms)) gone.push(id);
  }
  return { absences, gone };
}
