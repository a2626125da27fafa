import { z } from 'zod';

/** The first word is the call that is lied about. */
const lieKinds = [
  'list empty',
  'list half',
  'list other half each time',
  'list late',
  'list frozen',
  'list transient',
  'list denied',
  'list hangs',
  'create quota',
  'create quota though made',
  'create transient though made',
  'create hangs',
  'create hangs though made',
  'delete transient',
  'delete denied',
  'delete transient though done',
  'delete hangs',
  'delete hangs though done',
  'delete lingers',
  'capacity none',
  'capacity huge',
  'capacity transient',
  'capacity hangs',
] as const;
export type LieKind = (typeof lieKinds)[number];

const calls = ['list', 'create', 'delete', 'capacity'] as const;
export type Call = (typeof calls)[number];

const shape = {
  what: z.enum(lieKinds),
  /** The processes whose provider lies, by instance. */
  whom: z.array(z.string()),
  /** How many of the runners that are asked about are lied about: 0 to 1. */
  share: z.number(),
  /** Decides which ones. */
  salt: z.int(),
  /** Of what is old: how old, in ms. */
  agoMs: z.number(),
};
const lieSchema = z.object({ ...shape, forMs: z.number() });
export type Lie = z.infer<typeof lieSchema>;

/** A lie while it is told; wall clock, ms. */
export const toldLieSchema = z.object({
  ...shape,
  id: z.int(),
  fromMs: z.number(),
  untilMs: z.number(),
});
export type ToldLie = z.infer<typeof toldLieSchema>;

export function callOf({ what }: Pick<Lie, 'what'>): Call {
  return calls.find((call) => what.startsWith(`${call} `)) ?? 'list';
}

/** The kinds of lies about a call. */
export function kindsOf(call: Call): LieKind[] {
  return lieKinds.filter((what) => callOf({ what }) === call);
}

export { calls };

/** For the list of what was done. */
export function describeLie({ what, whom, share, agoMs, forMs }: Lie): string {
  const old = what === 'list late' || what === 'list frozen' ? ` by ${agoMs} ms` : '';
  const isOfSome = share < 1 && (what.includes('half') || /^(create|delete)/.test(what));
  const some = isOfSome ? ` for ${share * 100} % of the runners` : '';
  return `provider of ${whom.join(', ')}: ${what}${old}${some} for ${forMs} ms`;
}
