import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '@baton/shared/time';
import { stringify } from 'yaml';
import { z } from 'zod';

/** The jobs of infra/prometheus, which the rules name. */
type Job = 'baton-listener' | 'baton-provisioner' | 'baton-janitor';
export type Targets = Record<Job, readonly string[]>;

const labels = z.record(z.string(), z.string());
const sample = z.tuple([z.number(), z.string()]);
const rangeSchema = z.object({
  result: z.array(z.object({ metric: labels, values: z.array(sample) })),
});
const vectorSchema = z.object({ result: z.array(z.object({ metric: labels, value: sample })) });
const targetsSchema = z.object({
  activeTargets: z.array(z.object({ labels, health: z.string(), lastError: z.string() })),
});
const rulesSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() }),
      ),
    }),
  ),
});
const metadataSchema = z.array(
  z.object({ target: labels, metric: z.string(), type: z.string(), help: z.string() }),
);
const answerSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('success'), data: z.unknown() }),
  z.object({ status: z.literal('error'), error: z.string() }),
]);
const listening = z.looseObject({ msg: z.literal('Listening on'), address: z.string() });

/** A series as it was asked for: its labels and its numbers. */
export interface Series {
  labels: Record<string, string>;
  values: number[];
}

/** A real Prometheus of a test's own, which scrapes and evaluates every second. */
export class Prometheus implements AsyncDisposable {
  readonly startedAt = systemClock.now();
  readonly #dir: string;
  readonly #daemon: ChildProcess;
  readonly #url: string;

  private constructor(dir: string, daemon: ChildProcess, url: string) {
    this.#dir = dir;
    this.#daemon = daemon;
    this.#url = url;
  }

  /** Rejects with its last words when it does not start; then nothing is left. */
  static async start(rules: string, targets: Targets): Promise<Prometheus> {
    const dir = await mkdtemp(join(tmpdir(), 'baton-prometheus-'));
    await writeFile(join(dir, 'rules.yaml'), rules);
    await writeTargets(dir, targets);
    await writeFile(join(dir, 'prometheus.yaml'), stringify(configOf(dir, targets)));
    const daemon = spawn(
      'prometheus',
      [
        `--config.file=${join(dir, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(dir, 'data')}`,
        ...['--web.listen-address=127.0.0.1:0', '--log.format=json'],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    try {
      return new Prometheus(dir, daemon, `http://${await addressOf(daemon)}`);
    } catch (error) {
      await end(daemon, dir);
      throw error;
    }
  }

  /** Scrapes these from now on; what is gone is gone at once, as a pod that was deleted. */
  async scrape(targets: Targets): Promise<void> {
    await writeTargets(this.#dir, targets);
  }

  /** The values of now. @throws Error with what Prometheus says of the expression. */
  async query(expr: string): Promise<Series[]> {
    const { result } = vectorSchema.parse(await this.#ask('query', { query: expr }));
    return result.map(({ metric, value }) => ({ labels: metric, values: [Number(value[1])] }));
  }

  /** All values since it was started, second by second, as a chart would draw them. */
  async chart(expr: string): Promise<Series[]> {
    const [start, end] = [this.startedAt / 1_000, systemClock.now() / 1_000].map(String);
    const asked = { query: expr, start: start ?? '', end: end ?? '', step: '1s' };
    const { result } = rangeSchema.parse(await this.#ask('query_range', asked));
    return result.map(({ metric, values }) => ({
      labels: metric,
      values: values.map(([, value]) => Number(value)),
    }));
  }

  /** Every metric that a target declares, by its name, with its type, whether or not it has values. */
  async declared(): Promise<ReadonlyMap<string, string>> {
    const metadata = metadataSchema.parse(await this.#ask('targets/metadata', {}));
    return new Map(metadata.map(({ metric, type }) => [metric, type]));
  }

  async targets(): Promise<{ job: string; health: string; lastError: string }[]> {
    const { activeTargets } = targetsSchema.parse(await this.#ask('targets', { state: 'active' }));
    return activeTargets.map(({ labels: of, ...target }) => ({ job: of.job ?? '', ...target }));
  }

  /** Whether its rules can be evaluated. */
  async rules(): Promise<{ name: string; health: string; lastError?: string | undefined }[]> {
    const { groups } = rulesSchema.parse(await this.#ask('rules', {}));
    return groups.flatMap(({ rules }) => rules);
  }

  /** The scale sets, or whatever `label` says, for which the alert fires. */
  async firing(alert: string, label: string): Promise<string[]> {
    const series = await this.query(`ALERTS{alertname="${alert}",alertstate="firing"}`);
    return series.map(({ labels: of }) => of[label] ?? '');
  }

  async #ask(path: string, parameters: Record<string, string>): Promise<unknown> {
    const query = new URLSearchParams(parameters);
    const response = await fetch(`${this.#url}/api/v1/${path}?${query.toString()}`);
    const answer = answerSchema.parse(await response.json());
    if (answer.status === 'error') throw new Error(`${parameters.query ?? path}: ${answer.error}`);
    return answer.data;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#daemon, this.#dir);
  }
}

function configOf(dir: string, targets: Targets): unknown {
  return {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [join(dir, 'rules.yaml')],
    scrape_configs: Object.keys(targets).map((job) => ({
      job_name: job,
      file_sd_configs: [{ files: [join(dir, `${job}.json`)], refresh_interval: '1s' }],
    })),
  };
}

/** Renamed into place: it is read at any time. */
async function writeTargets(dir: string, targets: Targets): Promise<void> {
  for (const [job, addresses] of Object.entries(targets)) {
    const file = join(dir, `${job}.json`);
    await writeFile(`${file}.new`, JSON.stringify([{ targets: addresses }]));
    await rename(`${file}.new`, file);
  }
}

/** Where it listens, which it says itself. It never stops to be read: a full pipe would stop it. */
function addressOf(daemon: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const lines: string[] = [];
  daemon.once('error', (cause) => {
    reject(new Error('prometheus is missing: apt-get install prometheus', { cause }));
  });
  daemon.once('exit', () => reject(new Error(`prometheus ended:\n${lines.slice(-5).join('\n')}`)));
  if (daemon.stderr)
    createInterface({ input: daemon.stderr }).on('line', (line) => {
      if (lines.length < 100) lines.push(line);
      const told = listening.safeParse(JSON.parse(line));
      if (told.success) resolve(told.data.address);
    });
  return promise;
}

async function end(daemon: ChildProcess, dir: string): Promise<void> {
  if (daemon.pid !== undefined && daemon.exitCode === null && daemon.signalCode === null) {
    const exited = once(daemon, 'exit');
    daemon.kill('SIGKILL');
    await exited;
  }
  await rm(dir, { recursive: true, force: true });
}
