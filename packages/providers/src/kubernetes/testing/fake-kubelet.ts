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
  ended: Promise<number>;
  isStopping: boolean;
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
    for (const { child } of this.#running.values()) child.kill('SIGKILL');
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const { items } = listSchema.parse(await this.#admin.ok('GET', `${this.#path}/pods`));
      await Promise.all(items.map((pod) => this.#look(pod)));
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  }

  /** One step of one pod. A refusal means that somebody else was faster: the next look shows how. */
  async #look(pod: Pod): Promise<void> {
    const { metadata, spec, status } = pod;
    if (metadata.deletionTimestamp) return await this.#end(pod);
    if (this.#running.has(metadata.uid)) return;
    if (!spec.nodeName) {
      if (!this.isHeld(metadata.name)) await this.#bind(metadata.name);
    } else if ((status?.phase ?? 'Pending') === 'Pending') await this.#start(pod);
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
    const child = spawn(program, args, { env, stdio: 'ignore' });
    const ended = new Promise<number>((resolve) => {
      child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
      child.on('error', () => resolve(128));
    });
    this.#running.set(pod.metadata.uid, { child, ended, isStopping: false });
    await this.#report(pod, 'Running', { running: { startedAt: now() } });
    void ended.then((code) => this.#ended(pod, code));
  }

  async #ended(pod: Pod, exitCode: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    const terminated = { exitCode, reason, startedAt: now(), finishedAt: now() };
    const hasOthers = pod.spec.containers.length > 1;
    const phase = exitCode === 0 ? 'Succeeded' : 'Failed';
    await this.#report(pod, hasOthers ? 'Running' : phase, { terminated });
  }

  async #end({ metadata }: Pod): Promise<void> {
    const running = this.#running.get(metadata.uid);
    if (running?.child.exitCode === null && running.child.signalCode === null) {
      if (running.isStopping) return;
      running.isStopping = true;
      running.child.kill('SIGTERM');
      const killing = setTimeout(
        () => running.child.kill('SIGKILL'),
        (metadata.deletionGracePeriodSeconds ?? 30) * 1000,
      );
      void running.ended.then(() => clearTimeout(killing));
      return;
    }
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

/** As the API writes times: to the second. */
function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
