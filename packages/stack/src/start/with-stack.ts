import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAborted } from '@baton/shared/time';
import { LocalStack } from '../local-stack.ts';
import type { GitHubSide } from '../stack-options.ts';
import { createDisplay, type Display } from './display.ts';
import type { Io } from './io.ts';
import { Observer } from './observer.ts';
import type { StartOptions } from './options.ts';
import { Supervisor } from './supervisor.ts';
import { openTraces } from './traces.ts';

/** A stack that is up, kept up, and on view. */
export interface RunningStack {
  stack: LocalStack;
  observer: Observer;
  supervisor: Supervisor;
  say: Display['say'];
  /** Aborted when the stack cannot be kept up: nothing more is to be expected of it. */
  broken: AbortSignal;
}

interface Result<T> {
  value: T;
  /** Services that did not drain when they were told to. */
  undrained: string[];
}

type Work<T> = (running: RunningStack, signal: AbortSignal) => Promise<T>;

const lookEveryMs = 500;
/** How much later than its consequences the end of a process may be noticed, in ms. */
const causeMs = 500;

/**
 * Starts a stack, keeps it up and on view while `work` goes on, and takes it down again. `work` must
 * end when its signal is aborted: by a Ctrl-C, or because the stack cannot be kept up.
 */
export async function withStack<T>(
  github: GitHubSide,
  { options, io }: { options: StartOptions; io: Io },
  work: Work<T>,
): Promise<Result<T>> {
  const out = options.exit ? io.stderr : io.stdout;
  const display = createDisplay(out, io);
  const keepLogsIn = options.keepLogs
    ? join(tmpdir(), `baton-logs-${options.seed}-${io.clock.now()}`)
    : undefined;
  io.atExit(() => display.close());
  io.stop.addEventListener('abort', () => display.say('stopping (Ctrl-C kills everything)'));
  io.hurry.addEventListener('abort', () => display.say('killing everything'));
  const { env, hurry, clock } = io;
  const say = (text: string) => display.say(text);
  await using traces = await openTraces(options, { env, hurry, clock, say });
  const { variables } = traces;
  try {
    const { onLog } = traces;
    const setting = { github, keepLogsIn, variables, onLog, display, options, io };
    const result = await runStack(setting, work);
    say('nothing is left');
    return result;
  } finally {
    display.close();
    if (keepLogsIn !== undefined) say(`the logs are in ${keepLogsIn}`);
    await traces.show(out);
  }
}

interface Setting {
  display: Display;
  options: StartOptions;
  io: Io;
}

interface StackSetting extends Setting {
  github: GitHubSide;
  keepLogsIn: string | undefined;
  /** More of them for the services. */
  variables: Record<string, string>;
  onLog: (line: string) => void;
}

async function runStack<T>(setting: StackSetting, work: Work<T>): Promise<Result<T>> {
  const { github, keepLogsIn, variables, onLog, display, options, io } = setting;
  const say = (text: string) => display.say(text);
  await using stack = await LocalStack.start({
    env: io.env,
    services: { listener: 2, provisioner: 2, janitor: 1 },
    github,
    provider: options.provider,
    maxInstances: 50,
    leaseTtlMs: 10_000,
    serviceEnv: { ...variables, BATON_LOG_LEVEL: options.logLevel },
    say,
    onLog,
    signal: io.stop,
    hurry: io.hurry,
    keepLogsIn,
  });
  await using observer = await Observer.open(stack, io.clock);
  const value = await keepUp({ stack, observer, display, options, io }, work);
  display.close();
  say('draining the services, then ending the runners');
  return { value, undrained: await stack.drain() };
}

interface Surroundings extends Setting {
  stack: LocalStack;
  observer: Observer;
}

async function keepUp<T>(surroundings: Surroundings, work: Work<T>): Promise<T> {
  const { stack, observer, display, io } = surroundings;
  const say = (text: string) => display.say(text);
  const supervisor = new Supervisor({ stack, clock: io.clock, say });
  const over = new AbortController();
  const keeping = supervisor.run(over.signal);
  const watching = watch(surroundings, over.signal);
  const working = work(
    { stack, observer, supervisor, say, broken: over.signal },
    AbortSignal.any([io.stop, over.signal]),
  );
  try {
    // The supervisor resolves only when it is told to: until then it can only fail.
    const kept = keeping.then(() => working);
    return await Promise.race([working, kept]);
  } catch (error) {
    // Work that fails because a process died knows less of it than the supervisor, a little later.
    const later = io.clock.sleep(causeMs).then(() => error);
    throw await Promise.race([keeping.catch((cause: unknown) => cause), later]);
  } finally {
    over.abort(new Error('the work is over'));
    await Promise.allSettled([keeping, watching, working]);
  }
}

/** Shows the stack again and again. What cannot be read now is shown later. */
async function watch(
  { observer, display, options, io }: Surroundings,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const snapshot = await observer.snapshot(options.jobs).catch(() => undefined);
    if (snapshot) display.show(snapshot);
    if (isAborted(signal)) return;
    await io.clock.sleep(lookEveryMs, signal).catch(() => undefined);
  }
}
