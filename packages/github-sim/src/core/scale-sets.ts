import type { Clock } from '@baton/shared/time';
import { MessageLog } from './message-log.ts';
import type { ScaleSet } from './model.ts';
import { refusals } from './refusal.ts';

interface RunnerGroup {
  id: number;
  name: string;
  isDefaultGroup: boolean;
}

export interface ScaleSetFields {
  name?: string | undefined;
  runnerGroupId?: number | undefined;
  labels?: readonly string[] | undefined;
  runnerSetting?: Record<string, unknown> | undefined;
}

/** The scale sets of all scopes, and the runner groups, which every scope has alike. */
export class ScaleSets {
  groups: readonly RunnerGroup[] = [];
  /** Of the labels that are sent so many are kept, as some Enterprise Servers do. */
  keptLabels = Infinity;
  readonly #clock: Clock;
  readonly #sets = new Map<number, ScaleSet>();
  #lastId = 0;

  constructor(clock: Clock, groupNames: readonly string[]) {
    this.#clock = clock;
    this.nameGroups(groupNames);
  }

  /** The groups besides `Default`, by their place: another name in a place is a renamed group. */
  nameGroups(names: readonly string[]): void {
    const groups = ['Default', ...names].map((name, index) => ({
      id: index + 1,
      name,
      isDefaultGroup: index === 0,
    }));
    const used = this.all().find(({ runnerGroupId }) => runnerGroupId > groups.length);
    if (used) throw refusals.badRequest(`${used.name} is in a group that would be gone.`);
    this.groups = groups;
  }

  all(): ScaleSet[] {
    return [...this.#sets.values()];
  }

  list(scope: string, filter: { groupId?: number; name?: string }): ScaleSet[] {
    return this.all().filter(
      (set) =>
        set.scope === scope &&
        (filter.groupId === undefined || set.runnerGroupId === filter.groupId) &&
        (filter.name === undefined || set.name === filter.name),
    );
  }

  get(scope: string, id: string): ScaleSet {
    const set = this.#sets.get(Number(id));
    if (!set || set.scope !== scope) throw refusals.scaleSetNotFound(id);
    return set;
  }

  /** For the control API: a set by its name or id, in whatever scope. */
  lookUp(nameOrId: string): ScaleSet {
    const set = this.all().find(({ name, id }) => name === nameOrId || String(id) === nameOrId);
    if (!set) throw refusals.scaleSetNotFound(nameOrId);
    return set;
  }

  create(scope: string, fields: ScaleSetFields): ScaleSet {
    const name = fields.name ?? '';
    if (name === '') throw refusals.badRequest('A runner scale set needs a name.');
    const runnerGroupId = fields.runnerGroupId ?? 1;
    this.#checkFree(scope, name, runnerGroupId);
    this.#lastId += 1;
    const set: ScaleSet = {
      id: this.#lastId,
      scope,
      name,
      runnerGroupId,
      labels: this.#kept(fields.labels?.length ? fields.labels : [name]),
      runnerSetting: fields.runnerSetting ?? {},
      createdAt: this.#clock.now(),
      log: new MessageLog(),
      play: {
        muted: false,
        statistics: {},
        drift: {},
        runner: { mode: 'normal', exitCode: 0, connectDelayMs: 0 },
      },
      session: undefined,
      queues: new Set(),
      available: new Map(),
      waiting: new Set(),
      running: new Set(),
      idle: new Set(),
      ready: new Set(),
      busy: new Set(),
    };
    this.#sets.set(set.id, set);
    return set;
  }

  update(set: ScaleSet, fields: ScaleSetFields): void {
    const name = fields.name ?? set.name;
    const groupId = fields.runnerGroupId ?? set.runnerGroupId;
    if (name !== set.name || groupId !== set.runnerGroupId) {
      this.#checkFree(set.scope, name, groupId);
    }
    set.name = name;
    set.runnerGroupId = groupId;
    set.labels = fields.labels ? this.#kept(fields.labels) : set.labels;
    set.runnerSetting = { ...set.runnerSetting, ...fields.runnerSetting };
  }

  remove(set: ScaleSet): void {
    this.#sets.delete(set.id);
  }

  groupName(id: number): string {
    const group = this.groups.find((candidate) => candidate.id === id);
    if (!group) throw refusals.groupNotFound(id);
    return group.name;
  }

  #kept(labels: readonly string[]): readonly string[] {
    return labels.slice(0, this.keptLabels);
  }

  #checkFree(scope: string, name: string, groupId: number): void {
    this.groupName(groupId);
    if (this.list(scope, { groupId, name }).length > 0) throw refusals.scaleSetExists(name);
  }
}
