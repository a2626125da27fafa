import { Secret } from '@baton/shared/config';
import { deadSubject } from '@baton/shared/contracts';
import { connectNats, Publisher } from '@baton/shared/messaging';
import { silentLogger } from '@baton/shared/telemetry';
import { systemClock } from '@baton/shared/time';
import type { LocalStack } from '@baton/stack';
import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { runProgram } from './run-program.ts';
import { completedJobs, heldPoll, jobEvents, simulator, startStack } from './stack-fixture.ts';

const patient = { timeoutMs: 30_000, everyMs: 100 };

const letterSchema = z.looseObject({
  id: z.int(),
  scaleSet: z.string(),
  reason: z.string(),
  missingParts: z.array(z.int()),
});
const detailsSchema = z.looseObject({ body: z.string(), scaleSetId: z.string() });
const outcomesSchema = z.array(z.looseObject({ id: z.int(), outcome: z.string() }));

/** What GitHub says of a job that a runner has taken; `runnerId` is poison. */
const poisoned = {
  messageType: 'JobStarted',
  runnerRequestId: 0,
  jobId: 'poisoned-job',
  runnerId: { not: 'a number' },
  runnerName: 'linux-local-x',
};

test('a poisoned entry is kept whole, replayed when it can be understood, and harms no sibling', async () => {
  await using stack = await startStack({ listener: 1, provisioner: 1, janitor: 1 });
  await stack.applyScaleSets([
    { name: 'linux', maxRunners: 3 },
    { name: 'other', maxRunners: 3 },
  ]);
  await eventually(async () => {
    expect(await heldPoll(stack, 'linux')).toBe(true);
    expect(await heldPoll(stack, 'other')).toBe(true);
  }, patient);

  await simulator(stack).play('linux', { entries: [poisoned] });
  const [jobId = ''] = await simulator(stack).addJobs({ scaleSet: 'linux', durationMs: 10 });
  const [siblingId = ''] = await simulator(stack).addJobs({ scaleSet: 'other', durationMs: 10 });

  const completed = async () => await completedJobs(stack);
  await eventually(
    async () => expect(new Set(await completed())).toEqual(new Set([jobId, siblingId])),
    patient,
  );
  const [letter] = await letters(stack, 1);
  expect(letter).toMatchObject({ scaleSet: 'linux', missingParts: [] });
  expect(letter?.reason).toContain('JobStarted: runnerId');
  const id = String(letter?.id);
  const details = detailsSchema.parse(
    JSON.parse(await stack.baton('dead', 'show', id, '-o', 'json')),
  );
  expect(JSON.parse(details.body)).toEqual(poisoned);

  const refused = await replay(stack, id);
  expect(refused).toMatchObject({ code: 1, outcomes: [{ outcome: 'kept' }] });
  await writeReadable(stack, details.scaleSetId);
  const [, readable] = await letters(stack, 2);
  const before = (await jobEvents(stack)).started ?? 0;
  const replayed = await replay(stack, String(readable?.id));
  const left = await letters(stack, 1);
  const discarded = await stack.baton('dead', 'discard', id, '--yes');

  expect(replayed).toMatchObject({ code: 0, outcomes: [{ outcome: 'replayed' }] });
  expect((await jobEvents(stack)).started).toBe(before + 1);
  expect(left).toMatchObject([{ id: letter?.id }]);
  expect(discarded).toBe(`${id} discarded`);
  expect(await letters(stack, 0)).toEqual([]);
});

test('an answer that is no message is kept whole, and the scale set is polled on', async () => {
  await using stack = await startStack({ listener: 1, provisioner: 1, janitor: 1 });
  await stack.applyScaleSets([{ name: 'linux', maxRunners: 3 }]);
  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
  const body = JSON.stringify({ messageId: 7, messageType: 'Surprise', body: 'ü'.repeat(1_000) });

  await simulator(stack).addFault({
    route: 'getMessage',
    first: 1,
    action: { kind: 'status', status: 200, body },
  });
  const [first = ''] = await simulator(stack).addJobs({ scaleSet: 'linux', durationMs: 10 });

  await eventually(async () => expect(await completedJobs(stack)).toEqual([first]), patient);
  const [letter] = await letters(stack, 1);
  const { stdout: raw } = await runBaton(stack, 'dead', 'show', String(letter?.id), '--raw');
  expect(raw).toBe(body);
  expect(await heldPoll(stack, 'linux')).toBe(true);
});

/** The dead letters, as soon as there are so many. */
async function letters(stack: LocalStack, count: number) {
  let found: z.infer<typeof letterSchema>[] = [];
  await eventually(async () => {
    const printed: unknown = JSON.parse(await stack.baton('dead', 'list', '-o', 'json'));
    found = z.array(letterSchema).parse(printed);
    expect(found).toHaveLength(count);
  }, patient);
  return found;
}

async function runBaton(stack: LocalStack, ...args: string[]) {
  return await runProgram('packages/cli/src/main.ts', args, stack.variablesOf('cli'));
}

async function replay(stack: LocalStack, id: string) {
  const { code, stdout } = await runBaton(stack, 'dead', 'replay', id, '-o', 'json');
  return { code, outcomes: outcomesSchema.parse(JSON.parse(stdout)) };
}

/** A letter that a listener of an earlier version wrote, and that the one of now understands. */
async function writeReadable(stack: LocalStack, scaleSetId: string): Promise<void> {
  const { BATON_NATS_PASSWORD = '' } = stack.variablesOf('listener');
  await using nats = await connectNats({
    natsUrl: stack.natsUrl,
    natsUser: 'listener',
    natsPassword: new Secret(BATON_NATS_PASSWORD),
    natsConnectTimeoutMs: 5_000,
    name: 'test',
    log: silentLogger(),
    clock: systemClock,
  });
  const body = JSON.stringify({ ...poisoned, runnerId: 1_000 });
  const letter = { service: 'listener', kind: 'message', scaleSetId, reason: 'not understood' };
  const at = new Date().toISOString();
  const origin = { githubScaleSetId: 1, messageId: '3', bodyHash: 'hash', entry: 0 };
  await new Publisher(nats, silentLogger()).publishOnce(deadSubject('listener', 'message'), {
    v: 1,
    ...letter,
    origin,
    body,
    at,
  });
}
