import { TimeoutError } from '@baton/shared/errors';
import { type Clock, notNeeded, withDeadline } from '@baton/shared/time';
import { ProviderError } from '../provider-error.ts';
import type { DockerDefinition } from './definition.ts';
import type { EngineClient } from './engine-client.ts';
import { EngineFailure, pullFailure } from './engine-failure.ts';
import { parseImageReference } from './image-reference.ts';
import { PullProgress, pullLineSchema } from './pull-progress.ts';
import { registryAuth } from './registry-auth.ts';
import { unlessAborted } from './unless-aborted.ts';

type Tell = (text: string) => void;

/** A pull under way, and who waits for it. */
interface Pull {
  done: Promise<void>;
  waiting: Set<Tell>;
  stop: AbortController;
}

/** News of a pull comes this often at most, in ms. */
const newsEveryMs = 1_000;

interface PullerOptions {
  engine: EngineClient;
  definition: DockerDefinition;
  clock: Clock;
}

/** Brings images to the engine, each one once at a time however many ask for it. */
export class ImagePuller {
  readonly #engine: EngineClient;
  readonly #definition: DockerDefinition;
  readonly #clock: Clock;
  readonly #pulls = new Map<string, Pull>();

  constructor({ engine, definition, clock }: PullerOptions) {
    this.#engine = engine;
    this.#definition = definition;
    this.#clock = clock;
  }

  /**
   * Resolves when the engine has the image, as the pull policy asks for. A pull ends early when
   * nobody waits for it any more; who gives up alone does not disturb the others.
   */
  async ensure(image: string, tell: Tell, signal: AbortSignal): Promise<void> {
    const { pullPolicy } = this.#definition;
    if (pullPolicy !== 'always' && (await this.#isPresent(image, signal))) return;
    if (pullPolicy === 'never')
      throw new ProviderError(
        'image',
        `image ${image} is not on the engine, and pullPolicy is never`,
      );
    const pull = this.#pulls.get(image) ?? this.#start(image);
    const mine: Tell = (text) => tell(text);
    pull.waiting.add(mine);
    try {
      await unlessAborted(pull.done, signal);
    } finally {
      pull.waiting.delete(mine);
      if (pull.waiting.size === 0) {
        if (this.#pulls.get(image) === pull) this.#pulls.delete(image);
        pull.stop.abort(notNeeded);
      }
    }
  }

  async #isPresent(image: string, signal: AbortSignal): Promise<boolean> {
    const call = { method: 'GET', path: `/images/${image}/json`, expect: [404] } as const;
    return (await this.#engine.call(call, signal)).status === 200;
  }

  #start(image: string): Pull {
    const waiting = new Set<Tell>();
    const stop = new AbortController();
    const { pullTimeoutMs: timeoutMs } = this.#definition;
    const what = `pull image ${image}`;
    const done = withDeadline(
      { clock: this.#clock, timeoutMs, what, signal: stop.signal },
      (signal) => this.#pull(image, (text) => tellAll(waiting, text), signal),
    ).catch((error: unknown) => {
      if (error instanceof TimeoutError) throw new ProviderError('image', error.message);
      throw pullFailure(image, error);
    });
    // Whoever waits sees it; nobody has to.
    done.catch(() => undefined);
    const pull = { done, waiting, stop };
    this.#pulls.set(image, pull);
    return pull;
  }

  async #pull(image: string, tell: Tell, signal: AbortSignal): Promise<void> {
    const { name, version } = parseImageReference(image);
    const call = {
      method: 'POST',
      path: '/images/create',
      query: { fromImage: name, tag: version },
      headers: await registryAuth(image, this.#definition.registries),
    } as const;
    const progress = new PullProgress();
    let told = { atMs: Number.NEGATIVE_INFINITY, percent: -1 };
    for await (const line of this.#engine.stream(call, signal)) {
      const news = pullLineSchema.parse(line);
      const error = news.errorDetail?.message ?? news.error;
      if (error !== undefined) throw new EngineFailure(500, error);
      progress.add(news);
      const { percent } = progress;
      const nowMs = this.#clock.monotonic();
      if (percent === told.percent || nowMs - told.atMs < newsEveryMs) continue;
      told = { atMs: nowMs, percent };
      tell(`pulling image ${image}: ${percent} %`);
    }
  }
}

function tellAll(waiting: ReadonlySet<Tell>, text: string): void {
  for (const tell of waiting) tell(text);
}
