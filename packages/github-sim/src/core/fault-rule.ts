import { z } from 'zod';

/** The names of the GitHub-side routes, for faults. */
const routeNames = [
  'createRegistrationToken',
  'listRunnerGroups',
  'createAppToken',
  'registerRunner',
  'listScaleSets',
  'getScaleSet',
  'createScaleSet',
  'updateScaleSet',
  'deleteScaleSet',
  'findRunnerGroup',
  'createSession',
  'refreshSession',
  'deleteSession',
  'acquireJobs',
  'listAcquirableJobs',
  'generateJitConfig',
  'listRunners',
  'getRunner',
  'removeRunner',
  'getMessage',
  'deleteMessage',
  'runnerBehaviour',
  'runnerConnect',
  'runnerWaitJob',
  'runnerWatchJob',
  'runnerComplete',
] as const;

export type RouteName = (typeof routeNames)[number];

const faultActionSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('status'),
    status: z.int().min(200).max(599),
    body: z.string().default(''),
    headers: z.record(z.string(), z.string()).default({}),
  }),
  z.object({ kind: z.literal('empty200') }),
  /** The real answer, cut off in the middle, with a content length that fits. */
  z.object({ kind: z.literal('truncate') }),
  /** Never answers, and does nothing. */
  z.object({ kind: z.literal('hang') }),
  /** Does what was asked for, and never answers. */
  z.object({ kind: z.literal('hang-after') }),
  /** Sends the headers and half of the real answer, then nothing more. */
  z.object({ kind: z.literal('stall') }),
  z.object({ kind: z.literal('drop'), when: z.enum(['before-headers', 'mid-body']) }),
  z.object({ kind: z.literal('delay'), ms: z.number().min(0) }),
]);

export const faultRuleSchema = z.object({
  /** An existing rule with this id is replaced. */
  id: z.string().optional(),
  route: z.union([z.enum(routeNames), z.literal('*')]),
  /** Only for this scale set, by name. */
  scaleSet: z.string().optional(),
  /** Only the first so many requests. */
  first: z.int().min(1).optional(),
  /** Only every so manieth request. */
  every: z.int().min(1).optional(),
  probability: z.number().min(0).max(1).optional(),
  /** Begins after this long. */
  afterMs: z.number().min(0).default(0),
  /** Ends so long after it began. */
  windowMs: z.number().min(0).optional(),
  action: faultActionSchema,
});

export type FaultAction = z.output<typeof faultActionSchema>;
export type FaultRule = z.output<typeof faultRuleSchema>;
export type FaultRuleInput = z.input<typeof faultRuleSchema>;
