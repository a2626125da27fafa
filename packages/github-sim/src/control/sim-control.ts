import { z } from 'zod';
import type { FaultRuleInput } from '../core/fault-rule.ts';
import {
  type AddJobs,
  type Books,
  booksSchema,
  type DropRegistrations,
  type JobRecord,
  type JournalEntry,
  jobRecordSchema,
  journalSchema,
  type Play,
  type Registry,
  type SimState,
  stateSchema,
  type TokenKind,
} from './schemas.ts';

const anything = z.object({});

interface Call<T extends z.ZodType> {
  method?: 'GET' | 'POST' | 'DELETE';
  body?: unknown;
  answer: T;
}

/** Talks to the control API of a running simulator. Every call throws when it is refused. */
export class SimControl {
  readonly #url: string;

  /** `url` as in the simulator's ready line. */
  constructor(url: string) {
    this.#url = url.replace(/\/$/, '');
  }

  /** Queues jobs and returns their ids. */
  async addJobs(jobs: AddJobs): Promise<string[]> {
    const answer = z.object({ ids: z.array(z.string()) });
    return (await this.#call('jobs', { method: 'POST', body: jobs, answer })).ids;
  }

  /** A running job ends when its runner has noticed. */
  async cancelJob(id: string): Promise<void> {
    await this.#call(`jobs/${id}`, { method: 'DELETE', answer: anything });
  }

  /** The service says that a running job is over, while its runner goes on with it. */
  async announceCompletion(id: string): Promise<void> {
    await this.#post(`jobs/${id}/announce`, {});
  }

  async jobs(): Promise<JobRecord[]> {
    const answer = z.object({ jobs: z.array(jobRecordSchema) });
    return (await this.#call('jobs', { answer })).jobs;
  }

  state(): Promise<SimState> {
    return this.#call('state', { answer: stateSchema });
  }

  books(): Promise<Books> {
    return this.#call('books', { answer: booksSchema });
  }

  /** What happened to polls and messages behind this entry, oldest first. */
  async journal(after = 0): Promise<JournalEntry[]> {
    return (await this.#call(`journal?after=${after}`, { answer: journalSchema })).entries;
  }

  /** Returns the id of the rule. */
  async addFault(rule: FaultRuleInput): Promise<string> {
    const answer = z.object({ id: z.string() });
    return (await this.#call('faults', { method: 'POST', body: rule, answer })).id;
  }

  /** Ends one fault, or all of them and an outage. */
  async clearFaults(id?: string): Promise<void> {
    const path = id === undefined ? 'faults' : `faults/${encodeURIComponent(id)}`;
    await this.#call(path, { method: 'DELETE', answer: anything });
  }

  /** Runners that no process plays come online and take a job each; returns how many there were. */
  async playRunners(names: readonly string[]): Promise<number> {
    const answer = z.object({ played: z.int() });
    return (await this.#call('runners/play', { method: 'POST', body: { names }, answer })).played;
  }

  /** Played runners do their jobs and end; returns those that had one. */
  async finishRunners(names: readonly string[]): Promise<string[]> {
    const call = { method: 'POST', body: { names } } as const;
    const answer = z.object({ finished: z.array(z.string()) });
    return (await this.#call('runners/finish', { ...call, answer })).finished;
  }

  /** Registers runners, offline until they are played; returns their ids. */
  async registerRunners(scaleSet: string, names: readonly string[]): Promise<number[]> {
    const call = { method: 'POST', body: { scaleSet, names } } as const;
    const answer = z.object({ ids: z.array(z.int()) });
    return (await this.#call('runners/register', { ...call, answer })).ids;
  }

  /** Every GitHub-side route answers `status` (503) for so long; held polls end with it. */
  async outage(ms: number, status = 503): Promise<void> {
    await this.#post('outage', { ms, status });
  }

  /** Ends the set's session as the service does: its poll gets 401, its refresh 404. */
  async evictSession(scaleSet: string): Promise<void> {
    await this.#post(`${path(scaleSet)}/session/evict`, {});
  }

  /** Ends the set's session as if its holder had deleted it. */
  async releaseSession(scaleSet: string): Promise<void> {
    await this.#post(`${path(scaleSet)}/session/release`, {});
  }

  async expireTokens(kind: TokenKind): Promise<void> {
    await this.#post('tokens/expire', { kind });
  }

  /** Revokes the personal access token, and what was had for it; this one is accepted from now on. */
  async replaceToken(token: string): Promise<void> {
    await this.#post('tokens/personal', { token });
  }

  /** Stops or resumes measuring the time without a held poll: of one set, or of all. */
  async setTracking(enabled: boolean, scaleSet?: string): Promise<void> {
    const prefix = scaleSet === undefined ? '' : `${path(scaleSet)}/`;
    await this.#post(`${prefix}tracking`, { enabled });
  }

  /** Other runner groups, and labels that are dropped, from now on. */
  async setRegistry(wanted: Registry): Promise<void> {
    await this.#post('registry', wanted);
  }

  /** Drift, silence, restarted ids and odd messages, for one set. */
  async play(scaleSet: string, wanted: Play): Promise<void> {
    await this.#post(`${path(scaleSet)}/play`, wanted);
  }

  /** Deletes a set behind its owner's back. */
  async deleteScaleSet(scaleSet: string): Promise<void> {
    await this.#call(path(scaleSet), { method: 'DELETE', answer: anything });
  }

  /** Removes runner registrations and returns the names. */
  async dropRegistrations(which: DropRegistrations = {}): Promise<string[]> {
    const answer = z.object({ dropped: z.array(z.string()) });
    const call = { method: 'POST', body: which, answer } as const;
    return (await this.#call('registrations/drop', call)).dropped;
  }

  async #post(target: string, body: unknown): Promise<void> {
    await this.#call(target, { method: 'POST', body, answer: anything });
  }

  async #call<T extends z.ZodType>(target: string, call: Call<T>): Promise<z.output<T>> {
    const response = await fetch(`${this.#url}/_sim/${target}`, {
      method: call.method ?? 'GET',
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
    if (!response.ok) {
      throw new Error(`simulator: ${target}: ${response.status} ${await response.text()}`);
    }
    return call.answer.parse(await response.json());
  }
}

function path(scaleSet: string): string {
  return `scalesets/${encodeURIComponent(scaleSet)}`;
}
