import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fieldOf, type RunnerIdentity, readJitConfig } from './jit-config.ts';
import { runJob } from './run-job.ts';
import { ServerLink } from './server-link.ts';

/** Node ends a process that waits for nothing; a runner told never to connect must stay. */
const forEverMs = 2 ** 31 - 1;

let busy = false;
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => process.exit(busy ? 1 : 0));
}

async function main(): Promise<number> {
  const flag = process.argv.indexOf('--jitconfig');
  const encoded = flag < 0 ? process.env.ACTIONS_RUNNER_INPUT_JITCONFIG : process.argv[flag + 1];
  if (!encoded)
    throw new Error('no JIT config: give --jitconfig or ACTIONS_RUNNER_INPUT_JITCONFIG');
  const identity = readJitConfig(encoded);
  const link = new ServerLink(identity);
  const exitCode = await misbehave(link, identity);
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
  console.log('√ Connected to GitHub\nListening for Jobs');
  return await waitAndRun(link);
}

async function waitAndRun(link: ServerLink): Promise<number> {
  for (;;) {
    const answer = await link.call({ method: 'POST', path: '/runner/wait-job', body: {} });
    if (answer.status === 410) {
      console.log('The runner registration has been deleted from the server.');
      return 0;
    }
    if (answer.status === 200) {
      busy = true;
      console.log(`Running job: ${String(fieldOf(answer.body, 'jobId'))}`);
      const exitCode = await runJob(link, answer.body);
      console.log(`Job ended with exit code ${exitCode}`);
      return exitCode;
    }
    if (answer.status !== 202) throw new Error(`refused: ${answer.status}`);
  }
}

/** Does what a test asked for instead of connecting. Undefined: go on and connect. */
async function misbehave(link: ServerLink, { agentId }: RunnerIdentity) {
  const told = process.env.SIM_RUNNER_BEHAVIOUR ?? (await askBehaviour(link, agentId));
  const [mode, number = '0'] = told.split(':');
  if (mode === 'exit') return Number(number);
  if (mode === 'never-connect') await delay(forEverMs);
  if (mode === 'connect-delay') await delay(Number(number));
  return undefined;
}

async function askBehaviour(link: ServerLink, agentId: number): Promise<string> {
  const { body } = await link.call({ method: 'GET', path: `/runner/${agentId}/behaviour` });
  const mode = fieldOf(body, 'mode');
  if (mode === 'exit') return `exit:${String(fieldOf(body, 'exitCode'))}`;
  if (mode === 'never-connect') return mode;
  return `connect-delay:${Number(fieldOf(body, 'connectDelayMs') ?? 0)}`;
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    console.error(`An error occurred: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  },
);
