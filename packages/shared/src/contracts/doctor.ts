import { z } from 'zod';

/** What one check found. The text says what is wrong and what to do, or what is well. No secrets. */
const findingSchema = z.looseObject({
  /** What was checked: "token", "labels". */
  check: z.string(),
  /** What it is about, when there are several: a scale set, or a config URL and its credential. */
  about: z.string().optional(),
  /** `warning`: it works, and may not do what was meant. */
  outcome: z.enum(['ok', 'warning', 'failed']),
  text: z.string(),
});
export type Finding = z.infer<typeof findingSchema>;

export const doctorTimeoutMs = { default: 20_000, least: 1_000, most: 60_000 } as const;

/** "Check what you need, from your place." Sent by core NATS to every process of every service. */
export const doctorRequestSchema = z.looseObject({
  v: z.literal(1),
  /** Only what this scale set needs, by name or internal id. */
  scaleSet: z.string().optional(),
  /** How long the examination may take, in ms. */
  timeoutMs: z.int().min(doctorTimeoutMs.least).max(doctorTimeoutMs.most),
});
export type DoctorRequest = z.infer<typeof doctorRequestSchema>;

const responder = {
  v: z.literal(1),
  service: z.string(),
  identity: z.string(),
  incarnation: z.string(),
};

/** A process answers twice: at once that it is there, and what it found when it is done. */
export const doctorAnswerSchema = z.discriminatedUnion('kind', [
  z.looseObject({
    ...responder,
    kind: z.literal('here'),
    /** Its wall clock. */
    now: z.iso.datetime(),
  }),
  z.looseObject({ ...responder, kind: z.literal('findings'), findings: z.array(findingSchema) }),
]);
export type DoctorAnswer = z.infer<typeof doctorAnswerSchema>;
