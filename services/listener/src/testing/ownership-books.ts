import type { SessionRecord } from '@baton/shared/contracts';

/** What was left behind by all who held a scale set, as NATS and the queue keep it. */
export interface OwnershipBooks {
  /** Every version of the session record, oldest first. */
  versions: readonly SessionRecord[];
  /** The message of every fact on the stream. */
  facts: readonly string[];
  /** Messages that were deleted, and the epoch that did it. */
  deleted: ReadonlyMap<string, number>;
}

/** What is wrong in the books, in words; nothing when every promise about ownership was kept. */
export function ownershipViolations(books: OwnershipBooks): string[] {
  return [...epochViolations(books.versions), ...actViolations(books), ...factViolations(books)];
}

/** Epochs only grow, begin with a claim, and belong to one owner. */
function epochViolations(versions: readonly SessionRecord[]): string[] {
  const violations: string[] = [];
  for (const [index, version] of versions.entries()) {
    const before = versions[index - 1];
    const { epoch, owner } = version;
    if (before && epoch < before.epoch) {
      violations.push(`epoch ${epoch} was written after epoch ${before.epoch}`);
    }
    if (before && epoch === before.epoch && owner !== before.owner) {
      violations.push(`epoch ${epoch} belongs to ${before.owner} and to ${owner}`);
    }
    if (before?.epoch !== epoch && actOf(version)?.epoch === epoch) {
      violations.push(`epoch ${epoch} acted before it claimed`);
    }
  }
  return violations;
}

/** Within an epoch acts follow one another; one may be written twice when its answer was lost. */
function actViolations({ versions, deleted }: OwnershipBooks): string[] {
  const violations: string[] = [];
  const recorded = new Set<string>();
  const lastAct = new Map<number, number>();
  for (const version of versions) {
    const act = actOf(version);
    if (act?.epoch !== version.epoch) continue;
    const last = lastAct.get(act.epoch) ?? 0;
    if (act.number !== last && act.number !== last + 1) {
      violations.push(`act ${act.number} of epoch ${act.epoch} follows act ${last}`);
    }
    lastAct.set(act.epoch, act.number);
    recorded.add(`${act.messageId} by ${act.epoch}`);
  }
  for (const [messageId, epoch] of deleted) {
    if (!recorded.has(`${messageId} by ${epoch}`)) {
      violations.push(`message ${messageId} was deleted by epoch ${epoch} without its record`);
    }
  }
  return violations;
}

function factViolations({ facts, deleted }: OwnershipBooks): string[] {
  const published = new Set(facts);
  const twice = facts.filter((messageId, index) => facts.indexOf(messageId) !== index);
  const lost = [...deleted.keys()].filter((messageId) => !published.has(messageId));
  return [
    ...twice.map((messageId) => `the fact of message ${messageId} is there twice`),
    ...lost.map((messageId) => `the fact of message ${messageId} is lost`),
  ];
}

/** A claim keeps the last act of the epoch before it. */
function actOf({ ring }: SessionRecord) {
  const [entry] = ring;
  if (!entry) return undefined;
  const [epoch = '', number = ''] = entry.bodyHash.split('/');
  return { messageId: entry.messageId, epoch: Number(epoch), number: Number(number) };
}
