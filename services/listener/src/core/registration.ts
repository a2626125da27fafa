import type { ConditionType } from '@baton/shared/contracts';

/** Something that GitHub did not do as asked, though the scale set can be served. */
export type Problem = { type: ConditionType; text: string };
