import { eventSubject, type JobEvent, type Position } from '@baton/shared/contracts';
import {
  done,
  type Outcome,
  type Publisher,
  reject,
  type StoredLetter,
} from '@baton/shared/messaging';
import type { RegistrationStore, SessionStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import { factId } from './core/fact-id.ts';
import { readLetter } from './core/read-letter.ts';
import { translateJobs } from './core/translate-message.ts';

interface ReplayDeps {
  publisher: Publisher;
  sessions: SessionStore;
  registrations: RegistrationStore;
  log: Logger;
}

/**
 * Reads a message of GitHub again that had become a dead letter, and publishes its facts, with the
 * ids that they would have had. Any listener may: facts are observations, which no epoch fences. The
 * demand stays as it is, because GitHub's statistics have counted these jobs long since. Offers of
 * jobs are not taken up: they need the session that they came by.
 */
export async function replayMessage(
  deps: ReplayDeps,
  letter: StoredLetter,
  signal: AbortSignal,
): Promise<Outcome> {
  const { id, scaleSetId, at } = letter;
  if (scaleSetId === undefined) return reject('it does not say to which scale set it belongs');
  const read = readLetter(letter);
  if (read.kind === 'unreadable') return reject(read.problem);
  const { publisher, sessions, log } = deps;
  const position = await nextPosition(sessions, scaleSetId);
  const githubScaleSetId = await scaleSetAtGitHub(deps, letter);
  const facts = read.jobs.flatMap(({ job, place }) =>
    translateJobs([job], { scaleSetId, position, at }).map((fact) => ({ fact, place })),
  );
  await Promise.all(
    facts.map(({ fact, place }) => {
      const messageId = factId({ scaleSetId, githubScaleSetId }, read.entry, place);
      return publisher.publish(factSubject(fact), fact, { messageId, signal });
    }),
  );
  log.info({ letterId: id, scaleSetId, facts: facts.length }, 'facts of a dead letter published');
  // Kept for as long as anything in it is not understood.
  return read.problem === undefined ? done() : reject(read.problem);
}

/** That of the next demand: whether the last one knew these facts, nobody can tell. */
async function nextPosition(sessions: SessionStore, scaleSetId: string): Promise<Position> {
  const record = (await sessions.get(scaleSetId))?.value;
  const { epoch = record?.epoch ?? 0, seq = -1 } = record?.demand ?? {};
  return { epoch, seq: seq + 1 };
}

/** A letter without an origin was written by an earlier version. */
async function scaleSetAtGitHub(
  { registrations }: ReplayDeps,
  { origin, scaleSetId = '' }: StoredLetter,
): Promise<number> {
  if (origin) return origin.githubScaleSetId;
  return (await registrations.get(scaleSetId))?.value.github?.scaleSetId ?? 0;
}

function factSubject({ scaleSetId, type }: JobEvent): string {
  const [entity = '', what = ''] = type.split('.');
  return eventSubject('listener', scaleSetId, entity, what);
}
