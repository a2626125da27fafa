/** The parts of which something is wrong, with what it is. */
export type Wrongs = Readonly<Record<string, string>>;

/** Says what is wrong now: nothing, one thing, or several by name. Must be quick, and must not throw. */
type Check = () => string | undefined | Iterable<readonly [string, string]>;

/** At most so many are named, and each in so many characters: the answer is for people and probes. */
const mostNamed = 50;
const longestText = 500;

/**
 * What a process says of itself. A process begins with `start`, which is taken back when the service
 * does its work; it is ready when no part has a reason against it. What is degraded concerns others, or
 * a part of its work: it is told and changes nothing. What is wedged only a new process mends.
 */
export class Health {
  readonly #reasons = new Map<string, string>();
  readonly #notReady = new Checks();
  readonly #degraded = new Checks();
  readonly #wedged = new Checks();

  /** Sets the reason why `part` is not ready; undefined when it is. */
  report(part: string, reason: string | undefined): void {
    if (reason === undefined) this.#reasons.delete(part);
    else this.#reasons.set(part, reason);
  }

  /** Asks `check` whenever somebody asks: why `part` is not ready. */
  watch(part: string, check: Check): void {
    this.#notReady.add(part, check);
  }

  /** The same for what is degraded; several are told as "part name". Returns what ends it. */
  watchDegraded(part: string, check: Check): () => void {
    return this.#degraded.add(part, check);
  }

  /**
   * The same for what only a restart mends. Must not depend on NATS, GitHub or a provider: a restart
   * mends none of them.
   */
  watchWedged(part: string, check: Check): () => void {
    return this.#wedged.add(part, check);
  }

  get notReady(): Wrongs {
    return named([...this.#reasons, ...this.#notReady.found()]).wrongs;
  }

  /** `more` counts those that are not named. */
  get degraded(): { wrongs: Wrongs; more: number } {
    return named(this.#degraded.found());
  }

  get wedged(): Wrongs {
    return named(this.#wedged.found()).wrongs;
  }
}

/** Several checks may bear one name: each stands for itself. */
class Checks {
  readonly #all = new Set<readonly [string, Check]>();

  add(part: string, check: Check): () => void {
    const entry = [part, check] as const;
    this.#all.add(entry);
    return () => void this.#all.delete(entry);
  }

  *found(): Iterable<readonly [string, string]> {
    for (const [part, check] of this.#all) {
      const said = check();
      if (said === undefined) continue;
      if (typeof said === 'string') yield [part, said];
      else for (const [name, text] of said) yield [`${part} ${name}`, text];
    }
  }
}

function named(all: Iterable<readonly [string, string]>): { wrongs: Wrongs; more: number } {
  const wrongs = new Map<string, string>();
  let more = 0;
  for (const [part, text] of all) {
    if (wrongs.size < mostNamed) wrongs.set(part, text.slice(0, longestText));
    else more += 1;
  }
  return { wrongs: Object.fromEntries(wrongs), more };
}
