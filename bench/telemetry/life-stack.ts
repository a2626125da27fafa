import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '@baton/shared/errors';
import type { LocalStack } from '@baton/stack';
import type { BenchContext } from '../context.ts';
import { readUsage } from '../measure/process-usage.ts';
import { booksVariable } from '../pipeline/pipeline-stack.ts';
import { simulatorOf, startStack } from '../stack.ts';
import { briefBooks } from './brief-provider.ts';
import { BriefRunners } from './brief-runners.ts';

const sets = 10;
const maxRunners = 100;
const lookEveryMs = 50;
const goneTimeoutMs = 120_000;
const startTimeoutMs = 60_000;

function programOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/**
 * All of Baton with instant compute, where runners live and go: they come online as soon as they are
 * created, do a short job and end, and a janitor deletes them. One process of each service.
 */
export class LifeStack implements AsyncDisposable {
  readonly stack: LocalStack;
  readonly #runners: BriefRunners;
  readonly #context: BenchContext;
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    context: BenchContext,
    parts: { stack: LocalStack; runners: BriefRunners },
    cleanup: AsyncDisposableStack,
  ) {
    this.stack = parts.stack;
    this.#runners = parts.runners;
    this.#context = context;
    this.#cleanup = cleanup;
  }

  /** Resolves when every set is polled. */
  static async start(
    context: BenchContext,
    serviceEnv: Record<string, string>,
  ): Promise<LifeStack> {
    await using cleanup = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'baton-lives-'));
    cleanup.defer(() => rm(folder, { recursive: true }));
    for (const name of Object.values(briefBooks)) await mkdir(join(folder, name));
    const stack = cleanup.use(
      await startStack(
        { ...context, say: () => undefined },
        {
          services: { listener: 1, provisioner: 1, janitor: 1 },
          programs: {
            provisioner: programOf('./brief-provisioner.ts'),
            janitor: programOf('./brief-janitor.ts'),
          },
          serviceEnv: { ...serviceEnv, [booksVariable]: folder },
          simulatorArgs: [],
        },
      ),
    );
    const runners = cleanup.use(new BriefRunners(simulatorOf(stack), folder, context.clock));
    const names = Array.from({ length: sets }, (_, index) => `set-${index}`);
    await stack.applyScaleSets(names.map((name) => ({ name, maxRunners })));
    const made = new LifeStack(context, { stack, runners }, cleanup.move());
    await using undo = new AsyncDisposableStack();
    undo.use(made);
    await made.#until('polls', startTimeoutMs, async () => {
      return (await simulatorOf(stack).state()).pollsHeld === sets;
    });
    undo.move();
    return made;
  }

  /** Jobs come at an even pace; resolves when all are done and no runner is left. */
  async runJobs(count: number, jobsPerS: number): Promise<void> {
    const { clock, signal } = this.#context;
    const sim = simulatorOf(this.stack);
    const startedAt = clock.monotonic();
    const adding: Promise<unknown>[] = [];
    for (let index = 0; index < count; index += 1) {
      const dueInMs = startedAt + (index * 1_000) / jobsPerS - clock.monotonic();
      if (dueInMs > 0) await clock.sleep(dueInMs, signal);
      adding.push(sim.addJobs({ scaleSet: `set-${index % sets}` }));
    }
    await Promise.all(adding);
    await this.#until('runners', goneTimeoutMs, async () => {
      const { jobs, registrations } = await sim.books();
      const open = jobs.queued + jobs.available + jobs.assigned + jobs.running;
      return open + registrations.length === 0 && (await this.#runners.areGone());
    });
  }

  /** User and system time of the three services since they started, in ms. */
  async cpuMs(): Promise<number> {
    const usages = await Promise.all(this.stack.services.map(({ pid }) => readUsage(pid)));
    return usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  }

  /** What services say on `/metrics` of spans that did not get out. */
  async lostSpans(): Promise<number> {
    const texts = await Promise.all(
      this.stack.services.map(async ({ healthPort }) => {
        const answer = await fetch(`http://127.0.0.1:${await healthPort}/metrics`);
        return await answer.text();
      }),
    );
    const lost = /^baton_spans_total\{[^}]*outcome="(?:failed|dropped)"[^}]*\} (\d+)/gm;
    const counts = texts.flatMap((text) => [...text.matchAll(lost)].map(([, count]) => count));
    return counts.reduce((sum, count) => sum + Number(count), 0);
  }

  async #until(what: string, timeoutMs: number, done: () => Promise<boolean>): Promise<void> {
    const { clock, signal } = this.#context;
    const giveUpAt = clock.monotonic() + timeoutMs;
    while (!(await done())) {
      if (clock.monotonic() > giveUpAt) {
        throw new AppError('unexpected', `waited for ${what} for more than ${timeoutMs} ms`);
      }
      await clock.sleep(lookEveryMs, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}
