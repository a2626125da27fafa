import { join } from 'node:path';
import type { SimControl } from '@baton/github-sim';
import {
  commandSubject,
  type Mark,
  type Runner,
  runnerKey,
  runnerName,
  scaleSetIdOf,
} from '@baton/shared/contracts';
import { type Nats, Publisher } from '@baton/shared/messaging';
import { openRunners, type RunnerStore } from '@baton/shared/stores';
import { silentLogger } from '@baton/shared/telemetry';
import { inParallel } from '../in-parallel.ts';
import { hostNow } from '../measure/host-now.ts';
import { InstanceBook } from '../pipeline/instance-book.ts';
import { providerName } from '../pipeline/pipeline-stack.ts';
import { bookFolders } from './booked-provider.ts';

interface FleetOptions {
  /** As a provisioner: it writes records and commands. */
  nats: Nats;
  sim: SimControl;
  /** Of the books of instances. */
  folder: string;
  installationId: string;
  /** The scale sets, by their names at GitHub. */
  names: readonly string[];
}

const writeParallel = 256;
/** How old runners are when they are made, in ms: too young for nothing. */
const ageMs = 3_600_000;

/** Makes runners that live, and marks them, as provisioners do. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #runners: RunnerStore;
  readonly #publisher: Publisher;
  readonly #book: InstanceBook;
  #count = 0;

  private constructor(options: FleetOptions, runners: RunnerStore) {
    this.#options = options;
    this.#runners = runners;
    this.#publisher = new Publisher(options.nats, silentLogger());
    this.#book = new InstanceBook(join(options.folder, bookFolders.made));
  }

  static async open(options: FleetOptions): Promise<Fleet> {
    return new Fleet(options, await openRunners(options.nats));
  }

  /** Idle runners: registered and online at GitHub, with an instance, and with a record. */
  async make(count: number): Promise<Runner[]> {
    const { names, sim } = this.#options;
    const made: Runner[] = [];
    for (const [index, name] of names.entries()) {
      const share = Math.floor(count / names.length) + (index < count % names.length ? 1 : 0);
      const bare = Array.from({ length: share }, () => this.#bare(name));
      const ids = await sim.registerRunners(
        name,
        bare.map((runner) => runner.name),
      );
      made.push(...bare.map((runner, at) => ({ ...runner, githubRunnerId: ids[at] })));
    }
    await sim.playRunners(made.map(({ name }) => name));
    await this.#book.append('bench.jsonl', made.map(lineOf));
    await this.#write(made);
    return made;
  }

  /** All records first, then all commands: so many are decided upon at once. */
  async mark(runners: readonly Runner[], gate: Mark['gate'] | 'either'): Promise<void> {
    const at = new Date(hostNow()).toISOString();
    const by = 'provisioner bench';
    const marked = runners.map((runner, index) => {
      const even: Mark['gate'] = index % 2 === 0 ? 'none' : 'github';
      const mark: Mark = { reason: 'surplus', gate: gate === 'either' ? even : gate, by, at };
      return { ...runner, state: 'marked' as const, stateAt: at, mark };
    });
    await this.#write(marked);
    await inParallel(marked, writeParallel, ({ scaleSetId, runnerId }) =>
      this.#publisher.publish(
        commandSubject('delete', scaleSetId),
        { v: 1, scaleSetId, runnerId },
        { messageId: `delete-${runnerId}` },
      ),
    );
  }

  async #write(runners: readonly Runner[]): Promise<void> {
    await inParallel(runners, writeParallel, (runner) =>
      this.#runners.put(runnerKey(runner.scaleSetId, runner.runnerId), runner),
    );
  }

  #bare(setName: string): Runner {
    this.#count += 1;
    const runnerId = idOf(this.#count);
    const { installationId } = this.#options;
    const at = new Date(hostNow() - ageMs).toISOString();
    return {
      v: 1,
      installationId,
      scaleSetId: scaleSetIdOf(setName),
      runnerId,
      name: runnerName(setName, installationId, runnerId),
      provider: providerName,
      generation: 'g1',
      state: 'idle',
      createdAt: at,
      stateAt: at,
      onlineAt: at,
      instanceId: runnerId,
    };
  }
}

function lineOf({ createdAt, runnerId, name, scaleSetId, generation }: Runner) {
  return { at: Date.parse(createdAt), runnerId, runnerName: name, scaleSetId, generation };
}

/** As long as any id, and of letters that ids are made of. */
function idOf(number: number): string {
  const digits = String(number).padStart(9, '0');
  return `r${digits.replaceAll(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)))}`;
}
