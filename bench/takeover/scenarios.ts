import { scaleSetIdOf } from '@baton/shared/contracts';
import { openSessions } from '@baton/shared/stores';
import type { ServiceProcess } from '@baton/stack';
import type { BenchContext } from '../context.ts';
import type { IdleStack } from '../idle-stack.ts';
import { type Gap, pollGaps } from '../polls.ts';

/** How long the simulator holds the session of a client that died, in ms: as GitHub, measured. */
export const sessionExpiryMs = 75_000;

const patienceMs = 60_000;
/** A listener believes in the silence of another one only after having been connected for 5.4 s. */
const trustMs = 8_000;

interface SameIdentity {
  sameIdentityMs: number[];
  sameIdentityFromConfigMs: number[];
}

/** SIGKILL of the only listener and restart, several times: from the process's start to each poll. */
export async function sameIdentity(
  context: BenchContext,
  idle: IdleStack,
  { listener, kills }: { listener: ServiceProcess; kills: number },
): Promise<SameIdentity> {
  const samples: SameIdentity = { sameIdentityMs: [], sameIdentityFromConfigMs: [] };
  for (let kill = 0; kill < kills; kill += 1) {
    // A process that has just started compiles its code, and takes from the next one.
    await context.clock.sleep(1_000, context.signal);
    await listener.kill();
    listener.restart();
    const { startedAt } = listener;
    const polls = await idle.untilPolled(idle.names, startedAt, patienceMs);
    const configuredAt = await idle.configuredAt(listener);
    for (const at of polls.values()) {
      samples.sameIdentityMs.push(at - startedAt);
      samples.sameIdentityFromConfigMs.push(at - configuredAt);
    }
  }
  return samples;
}

/** SIGKILL, and the session records are lost: from GitHub's freeing of a session to the poll. */
export async function waitOut(
  { clock }: BenchContext,
  idle: IdleStack,
  listener: ServiceProcess,
): Promise<number[]> {
  const killedAt = clock.now();
  await listener.kill();
  await wipeSessions(idle);
  listener.restart();
  const polls = await idle.untilPolled(idle.names, killedAt, sessionExpiryMs + patienceMs);
  const gaps = pollGaps(idle.journal.entries).filter(({ fromMs }) => fromMs >= killedAt);
  return gaps.map(({ scaleSet, fromMs }) => {
    return (polls.get(scaleSet) ?? Number.NaN) - (fromMs + sessionExpiryMs);
  });
}

/** One of two listeners is struck: from then to the other's poll of each of its sets. */
export async function otherPod(
  { clock, signal }: BenchContext,
  idle: IdleStack,
  how: 'SIGKILL' | 'SIGSTOP',
): Promise<number[]> {
  const victim = idle.startListener('listener-0');
  idle.startListener('listener-1');
  await idle.untilPolled(idle.names, 0, patienceMs);
  await clock.sleep(trustMs, signal);
  const sets = await idle.heldBy('listener-0');
  const struckAt = clock.now();
  victim.signal(how);
  const polls = await idle.untilPolled(sets, struckAt + 1, patienceMs);
  return [...polls.values()].map((at) => at - struckAt);
}

/** SIGTERM to one of three listeners after another: how long each of its sets was not polled. */
export async function handOver(
  { clock, signal }: BenchContext,
  idle: IdleStack,
): Promise<number[]> {
  const names = ['listener-0', 'listener-1', 'listener-2'];
  const listeners = names.map((name) => idle.startListener(name));
  await idle.untilPolled(idle.names, 0, patienceMs);
  const samples: number[] = [];
  for (const listener of listeners) {
    await clock.sleep(trustMs, signal);
    samples.push(...(await handOverOne({ clock, idle, listener })));
    listener.restart();
  }
  return samples;
}

async function handOverOne({
  clock,
  idle,
  listener,
}: {
  clock: BenchContext['clock'];
  idle: IdleStack;
  listener: ServiceProcess;
}): Promise<number[]> {
  const sets = await idle.heldBy(listener.instance);
  const toldAt = clock.now();
  await listener.stop();
  await idle.untilPolled(sets, toldAt + 1, patienceMs);
  const gaps = pollGaps(idle.journal.entries).filter(({ fromMs }) => fromMs >= toldAt);
  return sets.map((set) => longestGapMs(gaps.filter(({ scaleSet }) => scaleSet === set)));
}

/** 0 without a gap: the successor polled before the poll of the other ended. */
export function longestGapMs(gaps: readonly Gap[]): number {
  return Math.max(0, ...gaps.map(({ fromMs, toMs = Number.NaN }) => toMs - fromMs));
}

/** As though the records had never been written: the session ids are known to nobody. */
async function wipeSessions({ nats, names }: IdleStack): Promise<void> {
  const sessions = await openSessions(nats);
  await Promise.all(
    names.map(async (name) => {
      const id = scaleSetIdOf(name);
      const entry = await sessions.get(id);
      if (entry) await sessions.delete(id, entry.revision);
    }),
  );
}
