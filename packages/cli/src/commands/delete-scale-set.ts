import { scaleSetIdOf } from '@baton/shared/contracts';
import { AppError, errorText } from '@baton/shared/errors';
import type { Command } from 'commander';
import { askFirst } from '../ask-first.ts';
import type { Context } from '../context.ts';
import { formatDuration } from '../core/duration.ts';
import { changedSpec } from '../core/plan-apply.ts';
import { durationArgument } from '../duration-argument.ts';
import { Refusal } from '../failure.ts';
import { finishDeletion, removeLeftovers } from '../finish-deletion.ts';
import { lookUpSpec, unknownScaleSet } from '../read-records.ts';
import { type Stores, withStores } from '../stores.ts';
import { tellChanged } from '../tell-changed.ts';

interface DeleteOptions {
  timeout: number;
  yes?: boolean;
}

const defaultTimeoutMs = 600_000;
const lookEveryMs = 500;
const maxAttempts = 5;

export function registerDelete(program: Command, context: Context): void {
  program
    .command('delete')
    .description('delete a scale set')
    .command('scaleset')
    .description(
      'drain a scale set, close its session, delete it at GitHub if Baton created it; safe to repeat',
    )
    .argument('<name>', 'name or internal id of the scale set')
    .option(
      '--timeout <duration>',
      'how long to wait: 90s, 10m, 1h',
      durationArgument,
      defaultTimeoutMs,
    )
    .option('-y, --yes', 'do not ask')
    .action(async (name: string, options: DeleteOptions) => {
      await withStores(context, async (stores) => {
        await deleteScaleSet(stores, context, name, options);
      });
      context.stdout.write(`scale set "${name}" deleted\n`);
    });
}

async function deleteScaleSet(
  stores: Stores,
  context: Context,
  name: string,
  { timeout: timeoutMs, yes }: DeleteOptions,
): Promise<void> {
  const { clock } = stores;
  const deadline = clock.monotonic() + timeoutMs;
  const { found, names } = await lookUpSpec(stores, name);
  if (!found) {
    // An earlier run may have been interrupted after it had removed the spec.
    const cleaned = [scaleSetIdOf(name), name].map((id) => removeLeftovers(stores, id));
    if ((await Promise.all(cleaned)).includes(true)) return;
    throw unknownScaleSet(name, names);
  }
  if (!found.value.deleting) {
    if (yes !== true) await confirm(context, name);
    await beginDeletion(stores, found.key);
  }
  let told = '';
  for (;;) {
    const obstacles = await tryToFinish(stores, found.key);
    if (obstacles.length === 0) return;
    const text = obstacles.join('; ');
    if (text !== told) context.stderr.write(`waiting for "${name}": ${text}\n`);
    told = text;
    if (clock.monotonic() >= deadline) throw tookTooLong(name, timeoutMs, obstacles);
    await clock.sleep(lookEveryMs);
  }
}

async function beginDeletion(stores: Stores, key: string): Promise<void> {
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const spec = await stores.specs.get(key);
    if (!spec || spec.value.deleting) return;
    const changed = changedSpec(spec.value, { deleting: true }, stores.clock.now());
    if ((await stores.specs.update(key, changed, spec.revision)) !== undefined) {
      await tellChanged(stores, key, { what: 'deleting' });
      return;
    }
  }
  throw new Refusal('the scale set is changed by others all the time: try again');
}

/** Says what the end of the deletion waits for; nothing when it is over. */
async function tryToFinish(stores: Stores, key: string): Promise<string[]> {
  try {
    const spec = await stores.specs.get(key);
    // Somebody else finished it; a spec that is not being deleted was applied after that.
    if (!spec?.value.deleting) return [];
    return await finishDeletion(stores, spec);
  } catch (error) {
    // NATS may be gone for a while; the deletion goes on without us.
    if (error instanceof AppError && error.retryable) return [errorText(error)];
    throw error;
  }
}

async function confirm(context: Context, name: string): Promise<void> {
  await askFirst(context, {
    deed: `delete scale set "${name}"`,
    question: `Delete scale set "${name}" once its jobs are done?`,
    otherwise: 'nothing was deleted',
  });
}

function tookTooLong(name: string, timeoutMs: number, obstacles: readonly string[]): Refusal {
  const list = obstacles.map((obstacle) => `\n  ${obstacle}`).join('');
  return new Refusal(
    `scale set "${name}" is not deleted after ${formatDuration(timeoutMs)}; in the way:${list}\nThe deletion goes on. Run the same command again to wait for it.`,
  );
}
