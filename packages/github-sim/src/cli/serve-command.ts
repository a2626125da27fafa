import { systemClock } from '@baton/shared/time';
import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { defaultOptions } from '../core/options.ts';
import { startSimulator } from '../http/server.ts';
import type { CliContext } from './context.ts';

const durations = {
  sessionExpiryMs: 'a session whose holder is silent is freed after this long',
  pollHoldMs: 'a poll without a message is held this long',
  registrationTokenMs: 'life of a registration token',
  adminTokenMs: 'life of an admin JWT',
  queueTokenMs: 'life of a message queue token',
  appTokenMs: 'life of a GitHub App installation token',
  runnerOfflineMs: 'a runner that has lost its connection counts as dead after this long',
  runnerPollMs: "a runner's own long polls are held this long",
  reassignMs: 'an assigned job that nobody takes is assigned again after this long',
  idleRunnerMs: 'an idle runner is unregistered after this long (0: never)',
} as const;

const choices = {
  dialect: { values: ['github.com', 'ghes'], text: 'which service to play' },
  conflictWording: {
    values: ['type-name-and-owner', 'message-only'],
    text: 'how a session that is held is refused',
  },
  endedSessionAnswer: {
    values: ['by-reason', '400', '404'],
    text: 'what PATCH and DELETE of an ended session answer',
  },
  endedSessionJobs: {
    values: ['replay', 'retract'],
    text: 'what becomes of the unstarted jobs of an ended session',
  },
  requestIds: {
    values: ['zero-on-assigned', 'zero', 'real'],
    text: 'runnerRequestId in the github.com dialect',
  },
  messageStatistics: {
    values: ['as-written', 'as-delivered'],
    text: 'of when the statistics of a message are',
  },
} as const;

const switches = {
  capacityHeeded: 'no more jobs are given than the X-ScaleSetMaxCapacity of a poll',
  startedWakesPoll: 'JobStarted answers a held poll',
  assignedWakesPoll: 'JobAssigned answers a held poll',
  completedWakesPoll: 'JobCompleted answers a held poll',
  byteOrderMark: 'bodies of the Actions service begin with a byte order mark',
} as const;

const serveSchema = z.object({
  host: z.string(),
  port: z.int(),
  publicUrl: z.string().optional(),
  token: z.string(),
  seed: z.int(),
  runnerGroups: z.array(z.string()),
  dialect: z.enum(choices.dialect.values),
  conflictWording: z.enum(choices.conflictWording.values),
  endedSessionAnswer: z.enum(choices.endedSessionAnswer.values),
  endedSessionJobs: z.enum(choices.endedSessionJobs.values),
  requestIds: z.enum(choices.requestIds.values),
  messageStatistics: z.enum(choices.messageStatistics.values),
  capacityHeeded: z.boolean(),
  startedWakesPoll: z.boolean(),
  assignedWakesPoll: z.boolean(),
  completedWakesPoll: z.boolean(),
  byteOrderMark: z.boolean(),
  sessionExpiryMs: z.int(),
  pollHoldMs: z.int(),
  registrationTokenMs: z.int(),
  adminTokenMs: z.int(),
  queueTokenMs: z.int(),
  appTokenMs: z.int(),
  runnerOfflineMs: z.int(),
  runnerPollMs: z.int(),
  reassignMs: z.int(),
  idleRunnerMs: z.int(),
});

/** `serve`: runs the simulator until it is told to stop. */
export function serveCommand({ print, signal }: CliContext): Command {
  const command = new Command('serve')
    .description('run the simulator; prints one JSON line with its URL when it is ready')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes a free one', wholeNumber, 0)
    .option('--public-url <url>', 'its base URL in what it hands out; default: its own address')
    .option('--token <token>', 'the personal access token it accepts', defaultOptions.token)
    .option('--seed <number>', 'decides the dice of faults', wholeNumber, defaultOptions.seed)
    .option('--runner-groups <names...>', 'runner groups besides Default', []);
  for (const [name, text] of entriesOf(durations)) {
    command.option(`${flag(name)} <ms>`, text, wholeNumber, defaultOptions[name]);
  }
  for (const [name, { values, text }] of entriesOf(choices)) {
    const option = new Option(`${flag(name)} <choice>`, text).choices(values);
    command.addOption(option.default(defaultOptions[name]));
  }
  for (const [name, text] of entriesOf(switches)) {
    command.option(`${flag(name)} <true|false>`, text, trueOrFalse, defaultOptions[name]);
  }
  return command.action(async (given: unknown) => {
    const { host, port, publicUrl, ...options } = serveSchema.parse(given);
    const sim = await startSimulator({ host, port, publicUrl, clock: systemClock, options });
    print(JSON.stringify({ event: 'ready', url: sim.url }));
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
    await sim.close();
  });
}

function entriesOf<T extends object>(record: T): [Extract<keyof T, string>, T[keyof T]][] {
  const names: Extract<keyof T, string>[] = [];
  for (const name in record) names.push(name);
  return names.map((name) => [name, record[name]]);
}

function flag(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Not a whole number.');
  return Number(text);
}

function trueOrFalse(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new InvalidArgumentError('Say true or false.');
  return text === 'true';
}
