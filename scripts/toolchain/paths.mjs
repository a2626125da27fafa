import { fileURLToPath } from 'node:url';

/** The root of the repository, without a slash at the end. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Programs that Baton fetched for itself. Safe to delete at any time. */
export const toolsFolder = `${root}/.tools`;
