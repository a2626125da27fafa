import { randomUUID } from 'node:crypto';
import { commandSubject, type Runner, runnerKey } from '@baton/shared/contracts';
import { AppError, errorText } from '@baton/shared/errors';
import { Publisher } from '@baton/shared/messaging';
import { silentLogger } from '@baton/shared/telemetry';
import { isoNow } from '@baton/shared/time';
import type { Command } from 'commander';
import { askFirst } from '../ask-first.ts';
import { type Context, type OutputFormat, outputOption } from '../context.ts';
import { formatDuration } from '../core/duration.ts';
import {
  chooseRunner,
  type DeleteWish,
  type DeletionProgress,
  deletionProgress,
  deletionText,
} from '../core/runner-deletion.ts';
import { durationArgument } from '../duration-argument.ts';
import { Refusal } from '../failure.ts';
import { operatorOf } from '../operator.ts';
import { findSpec, readSpecs } from '../read-records.ts';
import { type Stores, withStores } from '../stores.ts';

interface DeleteOptions extends Partial<DeleteWish> {
  scaleSet?: string;
  wait?: boolean;
  timeout: number;
  yes?: boolean;
  output: OutputFormat;
}

/** What `baton runner delete -o json` prints. Fields are only ever added. */
interface DeletionView {
  name: string;
  runnerId: string;
  scaleSetId: string;
  /** `asked` without `--wait`; with it how it ended, or `deleting` when time was up. */
  outcome: DeletionProgress['kind'];
  /** Why it stays, or what it waits for. */
  text: string | null;
}

const defaultTimeoutMs = 300_000;
const lookEveryMs = 250;

export function registerRunner(program: Command, context: Context): void {
  program
    .command('runner')
    .description('delete runners by hand')
    .command('delete')
    .description('have a runner deleted, in whatever state it is; safe to repeat')
    .argument('<name>', 'name or id of the runner')
    .option('--scale-set <name>', 'which one, where an id is in two scale sets')
    .option('--force', 'delete its instance at once, even while it runs a job or GitHub is down')
    .option('--host-gone', 'its host or provider will never come back: forget its instance')
    .option('--wait', 'until it is gone, or it is known that it stays')
    .option('--timeout <duration>', 'of --wait: 90s, 10m, 1h', durationArgument, defaultTimeoutMs)
    .option('-y, --yes', 'do not ask')
    .addOption(outputOption())
    .addHelpText('after', examples)
    .action(async (name: string, options: DeleteOptions) => {
      const view = await withStores(
        context,
        async (stores) => await deleteRunner(stores, context, name, options),
      );
      report(context, view, options);
    });
}

const examples = `
Without --force GitHub decides: a runner that runs a job stays. Exit code 1 with --wait: it stays, or
is not gone in time.

Examples:
  baton runner delete linux-prod1-x7k2m9qd4f --wait
  baton runner delete x7k2m9qd4f --force --yes`;

async function deleteRunner(
  stores: Stores,
  context: Context,
  name: string,
  options: DeleteOptions,
): Promise<DeletionView> {
  const runner = await findRunner(stores, name, options.scaleSet);
  const wish = { force: options.force === true, hostGone: options.hostGone === true };
  await confirm(context, runner, wish, options.yes === true);
  const askedAt = await askFor(stores, context, runner, wish);
  const asked: DeletionProgress = { kind: 'asked', text: 'a janitor deletes it' };
  const progress = options.wait
    ? await waitForEnd(stores, context, runner, { askedAt, timeoutMs: options.timeout })
    : asked;
  const { scaleSetId, runnerId } = runner;
  const text = 'text' in progress ? progress.text : null;
  return { name: runner.name, runnerId, scaleSetId, outcome: progress.kind, text };
}

async function findRunner(
  stores: Stores,
  name: string,
  scaleSet: string | undefined,
): Promise<Runner> {
  const specs =
    scaleSet === undefined ? await readSpecs(stores) : [await findSpec(stores, scaleSet)];
  const names = new Map(specs.map(({ key, value }) => [key, value.declaration.name]));
  const entries = await stores.runners.list(scaleSet === undefined ? undefined : specs[0]?.key);
  const chosen = chooseRunner(
    name,
    entries.map(({ value }) => value),
    names,
  );
  if (chosen.kind === 'refused') throw new Refusal(chosen.text);
  return chosen.runner;
}

/** What may end a job, or forget an instance that lives, is asked for once more. */
async function confirm(
  context: Context,
  runner: Runner,
  wish: DeleteWish,
  isSure: boolean,
): Promise<void> {
  const text = deletionText(runner, wish);
  context.stderr.write(`${text}\n`);
  if (isSure || !(wish.force || wish.hostGone)) return;
  await askFirst(context, {
    deed: `delete runner "${runner.name}"`,
    question: `Delete runner "${runner.name}"?`,
    otherwise: 'nothing was deleted',
  });
}

/** Returns when it was asked for. */
async function askFor(
  { nats, clock }: Stores,
  { env }: Context,
  { scaleSetId, runnerId, traceparent }: Runner,
  { force, hostGone }: DeleteWish,
): Promise<string> {
  const at = isoNow(clock);
  const by = operatorOf(env);
  const operator = { by, at, ...(force ? { force } : {}), ...(hostGone ? { hostGone } : {}) };
  const command = { v: 1, scaleSetId, runnerId, traceparent, operator };
  const messageId = `delete-${runnerId}-operator-${randomUUID()}`;
  const publisher = new Publisher(nats, silentLogger());
  await publisher.publishOnce(commandSubject('delete', scaleSetId), command, {
    messageId,
    traceparent,
  });
  return at;
}

async function waitForEnd(
  stores: Stores,
  { stderr }: Context,
  { name, scaleSetId, runnerId }: Runner,
  { askedAt, timeoutMs }: { askedAt: string; timeoutMs: number },
): Promise<DeletionProgress> {
  const { clock } = stores;
  const deadline = clock.monotonic() + timeoutMs;
  let told = '';
  for (;;) {
    const progress = await look(stores, runnerKey(scaleSetId, runnerId), askedAt);
    if (progress.kind === 'deleted' || progress.kind === 'kept') return progress;
    if (clock.monotonic() >= deadline) return progress;
    if (progress.text !== told) stderr.write(`waiting for "${name}": ${progress.text}\n`);
    told = progress.text;
    await clock.sleep(lookEveryMs);
  }
}

/** NATS may be gone for a while; the deletion goes on without us. */
async function look(stores: Stores, key: string, askedAt: string): Promise<DeletionProgress> {
  try {
    return deletionProgress((await stores.runners.get(key))?.value, askedAt);
  } catch (error) {
    if (!(error instanceof AppError && error.retryable)) throw error;
    return { kind: 'deleting', text: errorText(error) };
  }
}

function report({ stdout }: Context, view: DeletionView, options: DeleteOptions): void {
  const { name, outcome, text } = view;
  if (options.output === 'json') stdout.write(`${JSON.stringify(view, null, 2)}\n`);
  if (outcome === 'kept') throw new Refusal(`runner "${name}" stays: ${text ?? ''}`);
  if (options.wait && outcome !== 'deleted') {
    const after = formatDuration(options.timeout);
    throw new Refusal(
      `runner "${name}" is not deleted after ${after}: ${text ?? ''}\nThe deletion goes on. Run the same command again to wait for it.`,
    );
  }
  if (options.output === 'json') return;
  stdout.write(`runner "${name}" ${outcome === 'deleted' ? 'deleted' : 'will be deleted'}\n`);
}
