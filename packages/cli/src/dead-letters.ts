import { scaleSetIdOf } from '@baton/shared/contracts';
import { type DeadLetterFilter, DeadLetters, type StoredLetter } from '@baton/shared/messaging';
import { type Command, InvalidArgumentError } from 'commander';
import { Refusal } from './failure.ts';
import type { Io } from './io.ts';
import { readSpecs } from './read-records.ts';
import { type Stores, withStores } from './stores.ts';

export interface FilterOptions {
  service?: string;
  kind?: string;
  scaleSet?: string;
}

/** What the commands about dead letters work on. */
export interface DeadScope extends Stores {
  letters: DeadLetters;
  /** Of scale sets, by their internal ids. */
  names: ReadonlyMap<string, string>;
}

/** Runs `work` with the dead letters of this installation. */
export async function withDeadLetters<T>(
  io: Io,
  work: (scope: DeadScope) => Promise<T>,
): Promise<T> {
  return await withStores(io, async (stores) => {
    const specs = await readSpecs(stores);
    const names = new Map(specs.map(({ key, value }) => [key, value.declaration.name]));
    const letters = await DeadLetters.open(stores.nats);
    return await work({ ...stores, letters, names });
  });
}

/** The options that choose letters. */
export function addFilterOptions(command: Command): Command {
  return command
    .option('--service <name>', 'those that this service wrote: listener, provisioner, janitor')
    .option('--kind <kind>', 'those of this kind')
    .option('--scale-set <name>', 'those of one scale set, by name or internal id');
}

/** A scale set that is gone is found by the name or the id that it had. */
export function filterOf({ service, kind, scaleSet }: FilterOptions): DeadLetterFilter {
  const scaleSetIds = scaleSet === undefined ? undefined : [scaleSet, scaleSetIdOf(scaleSet)];
  return { service, kind, scaleSetIds };
}

/** @throws Refusal when there is none. */
export async function findLetter({ letters }: DeadScope, id: number): Promise<StoredLetter> {
  const letter = await letters.find(id);
  if (letter) return letter;
  throw new Refusal(`there is no dead letter ${id}: see "baton dead list"`);
}

export function letterId(text: string): number {
  const id = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(id) && id > 0) return id;
  throw new InvalidArgumentError('Use a number from the column ID of "baton dead list".');
}

/** For an argument that may be given many times. */
export function letterIds(text: string, earlier: readonly number[] = []): number[] {
  return [...new Set([...earlier, letterId(text)])];
}
