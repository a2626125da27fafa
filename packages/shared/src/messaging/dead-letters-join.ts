import { type DeadLetter, type DeadLetterOrigin, deadLetterSchema } from '../contracts/index.ts';

/** One message of the stream of dead letters: a letter, or a part of one. */
export interface DeadPart {
  sequence: number;
  /** The same for all parts of one letter. */
  key: string;
  /** Length of the body as UTF-8. */
  bytes: number;
  /** What the message that it was has carried. */
  traceparent?: string | undefined;
  letter: DeadLetter;
}

/** A dead letter, its parts joined. */
export interface StoredLetter {
  /** Sequence of its first part. */
  id: number;
  service: string;
  kind: string;
  /** Internal id. */
  scaleSetId?: string | undefined;
  origin?: DeadLetterOrigin | undefined;
  reason: string;
  /** The subject it came from, when it was a NATS message. */
  subject?: string | undefined;
  /** Whole, but for the parts that are missing. */
  body: string;
  /** ISO time. */
  at: string;
  /** Of all its parts, the id first. */
  sequences: number[];
  /** Length of the whole body as UTF-8. */
  bytes: number;
  /** Parts that are not there; empty when the body is whole. */
  missing: number[];
  /** W3C trace context of what it is about. */
  traceparent?: string | undefined;
}

interface RawPart {
  sequence: number;
  subject: string;
  /** Its `Nats-Msg-Id`. */
  messageId: string;
  text: string;
  /** ISO time at which it was stored. */
  storedAt: string;
  traceparent?: string | undefined;
}

/** Reads a stored message. What is no dead letter of this version is one with itself as its body. Pure. */
export function readPart(raw: RawPart): DeadPart {
  const { sequence, subject, messageId, text, storedAt, traceparent } = raw;
  const letter = parseLetter(text) ?? foreignLetter(subject, text, storedAt);
  const owner = subjectScaleSet(letter.subject);
  if (letter.scaleSetId === undefined && owner !== undefined) letter.scaleSetId = owner;
  // The id ends with the number of the part, and says which letter it is before that.
  const key = `${subject} ${messageId.replace(/-\d+$/, '')} ${letter.parts ?? 1}`;
  return { sequence, key, bytes: Buffer.byteLength(letter.body), traceparent, letter };
}

/** The letters that these messages are, by id. A part that was stored twice counts once. Pure. */
export function joinParts(parts: readonly DeadPart[]): StoredLetter[] {
  const groups = new Map<string, DeadPart[]>();
  for (const part of parts) {
    const key = part.letter.parts === undefined ? `${part.sequence}` : part.key;
    groups.set(key, [...(groups.get(key) ?? []), part]);
  }
  return [...groups.values()].map(joinGroup).sort((a, b) => a.id - b.id);
}

function joinGroup(unsorted: readonly DeadPart[]): StoredLetter {
  const group = [...unsorted].sort((a, b) => a.sequence - b.sequence);
  const byNumber = new Map(group.map((part) => [part.letter.part ?? 1, part]));
  const [first = emptyPart] = group;
  const { part: _part, parts = 1, ...letter } = first.letter;
  const numbers = Array.from({ length: parts }, (_, index) => index + 1);
  const present = numbers.flatMap((number) => byNumber.get(number) ?? []);
  return {
    ...letter,
    id: first.sequence,
    sequences: group.map(({ sequence }) => sequence),
    body: present.map((part) => part.letter.body).join(''),
    bytes: present.reduce((sum, { bytes }) => sum + bytes, 0),
    missing: numbers.filter((number) => !byNumber.has(number)),
    ...(first.traceparent === undefined ? {} : { traceparent: first.traceparent }),
  };
}

function parseLetter(text: string): DeadLetter | undefined {
  try {
    return deadLetterSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function foreignLetter(subject: string, text: string, storedAt: string): DeadLetter {
  const [service = 'unknown', kind = 'unknown'] = subject.split('.').slice(3);
  const reason = 'the letter itself cannot be understood';
  return { v: 1, service, kind, reason, body: text, at: storedAt };
}

/** The scale set that a subject names: that of an event, or of a command about a runner. */
function subjectScaleSet(subject: string | undefined): string | undefined {
  return /^baton\.v1\.(?:event\.[^.]+|command\.(?:create|delete))\.([^.]+)/.exec(
    subject ?? '',
  )?.[1];
}

const emptyPart: DeadPart = {
  sequence: 0,
  key: '',
  bytes: 0,
  letter: { v: 1, service: '', kind: '', reason: '', body: '', at: '' },
};
