import { type ChildProcess, spawn } from 'node:child_process';
import { z } from 'zod';
import type { AdminClient, Json } from './admin-client.ts';

/** What a kubelet has to know of a pod. */
const envSchema = z.object({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .object({
      secretKeyRef: z.object({ name: z.string(), key: z.string() }).optional(),
      fieldRef: z.object({ fieldPath: z.string() }).optional(),
    })
    .optional(),
});
const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    deletionTimestamp: z.string().optional(),
    deletionGracePeriodSeconds: z.int().optional(),
  }),
  spec: z.object({
    nodeName: z.string().optional(),
    containers: z.array(
      z.object({
        name: z.string(),
        command: z.array(z.string()).optional(),
        env: z.array(envSchema).optional(),
      }),
    ),
  }),
  status: z.object({ phase: z.string().optional() }).optional(),
});
const listSchema = z.object({ items: z.array(podSchema) });
const secretSchema = z.object({ data: z.record(z.string(), z.string()) });

type Pod = z.output<typeof podSchema>;

interface Running {
  child: ChildProcess;
  ended: Promise<void>;
  /** Once it has ended. */
  exitCode: number | undefined;
  /** What the API server has been told. */
  reported: 'nothing' | 'start' | 'end';
  killing: NodeJS.Timeout | undefined;
}

/**
 * The scheduler and the node of a test cluster: binds pods, really runs the command of the runner
 * container as a process, reports its state and exit code, and obeys deletions with their grace
 * period. Speaks to the API server as real ones do. Only the runner's container gets a process; others
 * are said to run until the pod is deleted.
 */
export class FakeKubelet {
  readonly #admin: AdminClient;
  readonly #path: string;
  readonly #running = new Map<string, Running>();
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  /** Pods for which this is true wait for a node. */
  isHeld: (name: string) => boolean = () => false;

  constructor(admin: AdminClient, path: string) {
    this.#admin = admin;
    this.#path = path;
    this.#loop = this.#run();
  }

  /** Ends all processes. The pods stay as they are. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    for (const { child, killing } of this.#running.values()) {
      clearTimeout(killing);
      child.kill('SIGKILL');
    }
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  /** A connection that breaks is no reason to stop: every look begins anew. */
  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#lookAtAll().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  }

  async #lookAtAll(): Promise<void> {
    const { items } = listSchema.parse(await this.#admin.ok('GET', `${this.#path}/pods`));
    await Promise.all(items.map((pod) => this.#look(pod)));
  }

  /** One step of one pod. A refusal means that somebody else was faster: the next look shows how. */
  async #look(pod: Pod): Promise<void> {
    const { metadata, spec, status } = pod;
    const running = this.#running.get(metadata.uid);
    if (metadata.deletionTimestamp) await this.#end(pod, running);
    else if (running) await this.#reportNews(pod, running);
    else if (spec.nodeName) {
      if ((status?.phase ?? 'Pending') === 'Pending') await this.#start(pod);
    } else if (!this.isHeld(metadata.name)) await this.#bind(metadata.name);
  }

  async #bind(name: string): Promise<void> {
    await this.#admin.request('POST', `${this.#path}/pods/${name}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name },
      target: { apiVersion: 'v1', kind: 'Node', name: 'node-1' },
    });
  }

  async #start(pod: Pod): Promise<void> {
    const runner = pod.spec.containers.find(({ name }) => name === 'runner');
    const [program, ...args] = runner?.command ?? [];
    if (!program || this.#stop.signal.aborted) return;
    const env = await this.#environment(pod, runner?.env ?? []);
    if (typeof env === 'string') {
      const waiting = { reason: 'CreateContainerConfigError', message: env };
      await this.#report(pod, 'Pending', { waiting });
      return;
    }
    const running = run(program, args, env);
    this.#running.set(pod.metadata.uid, running);
    await this.#reportNews(pod, running);
  }

  async #reportNews(pod: Pod, running: Running): Promise<void> {
    const { exitCode, reported } = running;
    if (exitCode === undefined) {
      if (reported !== 'nothing') return;
      await this.#report(pod, 'Running', { running: { startedAt: now() } });
      running.reported = 'start';
      return;
    }
    if (reported === 'end') return;
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    const terminated = { exitCode, reason, startedAt: now(), finishedAt: now() };
    const hasOthers = pod.spec.containers.length > 1;
    const phase = exitCode === 0 ? 'Succeeded' : 'Failed';
    await this.#report(pod, hasOthers ? 'Running' : phase, { terminated });
    running.reported = 'end';
  }

  /** SIGTERM, SIGKILL after the grace period, and the last delete when the process has ended. */
  async #end({ metadata }: Pod, running: Running | undefined): Promise<void> {
    if (running && running.exitCode === undefined) {
      if (running.killing) return;
      running.child.kill('SIGTERM');
      const graceMs = (metadata.deletionGracePeriodSeconds ?? 30) * 1000;
      running.killing = setTimeout(() => running.child.kill('SIGKILL'), graceMs);
      return;
    }
    clearTimeout(running?.killing);
    const preconditions = { uid: metadata.uid };
    const path = `${this.#path}/pods/${metadata.name}`;
    await this.#admin.request('DELETE', path, { gracePeriodSeconds: 0, preconditions });
  }

  async #report(pod: Pod, phase: string, state: Json): Promise<void> {
    const containerStatuses = pod.spec.containers.map(({ name }) => ({
      name,
      image: 'none',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: name === 'runner' ? state : { running: { startedAt: now() } },
    }));
    const { uid, name } = pod.metadata;
    // The uid makes it a refusal when the name is another pod's by now.
    await this.#admin.request('PATCH', `${this.#path}/pods/${name}/status`, {
      metadata: { uid },
      status: { phase, containerStatuses },
    });
  }

  /** The environment of the container, or what is missing for it, as a kubelet says it. */
  async #environment(pod: Pod, env: z.output<typeof envSchema>[]) {
    const values: Record<string, string> = { PATH: '/usr/bin:/bin' };
    for (const { name, value, valueFrom } of env) {
      if (valueFrom?.fieldRef) values[name] = pod.metadata.name;
      const ref = valueFrom?.secretKeyRef;
      if (ref) {
        const found = await this.#admin.request('GET', `${this.#path}/secrets/${ref.name}`);
        if (found.status === 404) return `secret "${ref.name}" not found`;
        const { data } = secretSchema.parse(found.body);
        values[name] = Buffer.from(data[ref.key] ?? '', 'base64').toString();
      } else if (value !== undefined) values[name] = value;
    }
    return values;
  }
}

function run(program: string, args: string[], env: Record<string, string>): Running {
  const child = spawn(program, args, { env, stdio: 'ignore' });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const running: Running = {
    child,
    ended,
    exitCode: undefined,
    reported: 'nothing',
    killing: undefined,
  };
  const end = (exitCode: number) => {
    running.exitCode ??= exitCode;
    resolve();
  };
  child.on('exit', (code, signal) => end(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  child.on('error', () => end(128));
  return running;
}

/** As the API writes times: to the second. */
function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
