import { expect } from 'vitest';

/** As vitest's, which are of type `any`. */
export const containing = (text: string): unknown => expect.stringContaining(text);
export const matching = (pattern: RegExp | string): unknown => expect.stringMatching(pattern);
