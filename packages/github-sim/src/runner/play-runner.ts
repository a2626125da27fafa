import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fieldOf, type RunnerIdentity } from './jit-config.ts';
import { runJob } from './run-job.ts';
import { ServerLink } from './server-link.ts';

/** A runner told never to connect must stay for as long as a timer can wait. */
const forEverMs = 2 ** 31 - 1;

export interface PlayOptions {
  identity: RunnerIdentity;
  /** What to do instead of connecting; without it the simulator is asked. */
  behaviour?: string | undefined;
  say: (text: string) => void;
  /** Told once it has a job. */
  onBusy: () => void;
  /** Its process was killed: nothing more is said to anybody. */
  signal?: AbortSignal | undefined;
}

/** What a runner does from its start to its end: connects, waits for one job, runs it. Returns its exit code. */
export async function playRunner(options: PlayOptions): Promise<number> {
  const { identity, say, signal } = options;
  using link = new ServerLink(identity, signal);
  const exitCode = await misbehave(link, options);
  if (exitCode !== undefined) return exitCode;
  const connected = await link.call({
    method: 'POST',
    path: '/runner/connect',
    body: { agentId: identity.agentId, secret: identity.secret, instance: randomUUID() },
  });
  if (connected.status !== 200) {
    throw new Error(`refused: ${String(fieldOf(connected.body, 'message'))}`);
  }
  link.token = String(fieldOf(connected.body, 'token'));
  say('√ Connected to GitHub\nListening for Jobs');
  return await waitAndRun(link, options);
}

async function waitAndRun(link: ServerLink, { say, onBusy }: PlayOptions): Promise<number> {
  for (;;) {
    const answer = await link.call({ method: 'POST', path: '/runner/wait-job', body: {} });
    if (answer.status === 410) {
      say('The runner registration has been deleted from the server.');
      return 0;
    }
    if (answer.status === 200) {
      onBusy();
      say(`Running job: ${String(fieldOf(answer.body, 'jobId'))}`);
      const exitCode = await runJob(link, answer.body);
      say(`Job ended with exit code ${exitCode}`);
      return exitCode;
    }
    if (answer.status !== 202) throw new Error(`refused: ${answer.status}`);
  }
}

/** Does what a test asked for instead of connecting. Undefined: go on and connect. */
async function misbehave(link: ServerLink, { identity, behaviour, signal }: PlayOptions) {
  const told = behaviour ?? (await askBehaviour(link, identity.agentId));
  const [mode, number = '0'] = told.split(':');
  if (mode === 'exit') return Number(number);
  if (mode === 'never-connect') await delay(forEverMs, undefined, { signal });
  if (mode === 'connect-delay') await delay(Number(number), undefined, { signal });
  return undefined;
}

async function askBehaviour(link: ServerLink, agentId: number): Promise<string> {
  const { body } = await link.call({ method: 'GET', path: `/runner/${agentId}/behaviour` });
  const mode = fieldOf(body, 'mode');
  if (mode === 'exit') return `exit:${String(fieldOf(body, 'exitCode'))}`;
  if (mode === 'never-connect') return mode;
  return `connect-delay:${Number(fieldOf(body, 'connectDelayMs') ?? 0)}`;
}
