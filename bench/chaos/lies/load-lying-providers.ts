import { loadProviders } from '@baton/providers';
import type { Runtime } from '@baton/shared/lifecycle';
import { LieBook } from './lie-book.ts';
import { lyingProvider } from './lying-provider.ts';

/** Where the driver says which lies are told. */
export const liesVariable = 'BATON_CHAOS_LIES';

/** Loads the providers of a service, each behind one that may lie to it. */
export function lyingProvidersOf(by: string, { env, clock }: Runtime): typeof loadProviders {
  const book = new LieBook(env[liesVariable] ?? '');
  return async (file, deps) => {
    const real = await loadProviders(file, deps);
    return new Map(
      [...real].map(([name, inner]) => [name, lyingProvider({ inner, book, by, clock })]),
    );
  };
}
