import type { Plan, SessionRecord, Spec, Status } from '@baton/shared/contracts';
import { freeOf } from './capacity-findings.ts';

/** The records of one scale set. */
export interface ScaleSetRecords {
  spec: Spec;
  status: Status | undefined;
  session: SessionRecord | undefined;
  plan: Plan | undefined;
}

/** One element of `baton get scalesets -o json`. Fields are only ever added. */
export interface ScaleSetView {
  name: string;
  scaleSetId: string;
  /** As the listener reports it; `pending` while no listener has. */
  state: string;
  /** Why it is in this state; otherwise why no runners can be created, or what is wrong longest. */
  reason: string | null;
  enabled: boolean;
  deleting: boolean;
  owner: string | null;
  sessionSince: string | null;
  minRunners: number;
  maxRunners: number;
  assigned: number | null;
  alive: number | null;
  /** Null when no provisioner has said so of late. */
  free: number | null;
  provider: string;
  configUrl: string;
  generation: string;
  retryAt: string | null;
  epoch: number | null;
  lastPollAt: string | null;
  lastMessageAt: string | null;
  /** What is wrong with it, whatever its state; the longest first. */
  conditions: { type: string; since: string; text: string }[];
}

/** One element of `baton get sessions -o json`. */
export interface SessionView {
  name: string;
  scaleSetId: string;
  sessionId: string | null;
  /** As GitHub knows the owner. */
  ownerName: string | null;
  owner: string | null;
  epoch: number | null;
  state: string;
  opened: string | null;
  openedAt: string | null;
  lastPollAt: string | null;
  conflict: {
    since: string;
    attempts: number;
    nextAttemptAt: string;
    ownerText: string | null;
  } | null;
}

export function scaleSetView(records: ScaleSetRecords, nowMs: number): ScaleSetView {
  const { spec, status, session, plan } = records;
  const conditions = [...(status?.conditions ?? []), ...(plan?.conditions ?? [])]
    .map(({ type, since, text }) => ({ type, since, text }))
    .toSorted((a, b) => (a.since < b.since ? -1 : 1));
  const { name, enabled, minRunners, maxRunners, provider, configUrl } = spec.declaration;
  return {
    name,
    scaleSetId: spec.scaleSetId,
    state: status?.state ?? 'pending',
    reason: status?.reason ?? plan?.waiting?.text ?? conditions[0]?.text ?? null,
    enabled,
    deleting: spec.deleting,
    owner: status?.owner ?? null,
    sessionSince: session?.session?.openedAt ?? null,
    minRunners,
    maxRunners,
    assigned: session?.demand?.assigned ?? plan?.demand?.assigned ?? null,
    alive: plan?.runners.length ?? null,
    free: freeOf(plan, nowMs) ?? null,
    provider,
    configUrl,
    generation: spec.generation,
    retryAt: plan?.waiting?.until ?? plan?.backoff?.retryAt ?? null,
    epoch: status?.epoch ?? null,
    lastPollAt: status?.lastPollAt ?? null,
    lastMessageAt: status?.lastMessageAt ?? null,
    conditions,
  };
}

export function sessionView({ spec, status, session }: ScaleSetRecords): SessionView {
  const conflict = status?.conflict;
  return {
    name: spec.declaration.name,
    scaleSetId: spec.scaleSetId,
    sessionId: session?.session?.sessionId ?? null,
    ownerName: session?.session?.ownerName ?? null,
    owner: session?.owner ?? null,
    epoch: session?.epoch ?? null,
    state: status?.state ?? 'pending',
    opened: status?.opened ?? null,
    openedAt: session?.session?.openedAt ?? null,
    lastPollAt: status?.lastPollAt ?? null,
    conflict: conflict
      ? {
          since: conflict.since,
          attempts: conflict.attempts,
          nextAttemptAt: conflict.nextAttemptAt,
          ownerText: conflict.ownerText ?? null,
        }
      : null,
  };
}
