import { z } from 'zod';
import { logComponents, logLevels } from '../telemetry/index.ts';

export const logChangeMs = { default: 600_000, least: 1_000, most: 86_400_000 } as const;

const whom = {
  v: z.literal(1),
  /** Only processes of this service. */
  service: z.string().optional(),
  /** Only the process of this name. */
  instance: z.string().optional(),
};
/** Of these components; of all without it. Names that a process does not know do not concern it. */
const components = z.array(z.string()).min(1).readonly().optional();

/** "Which levels does your log have?", with a change first. Sent by core NATS to every process. */
export const logLevelRequestSchema = z.discriminatedUnion('kind', [
  z.object({ ...whom, kind: z.literal('list') }),
  z.object({
    ...whom,
    kind: z.literal('set'),
    components,
    level: z.enum(logLevels),
    /** Then what is configured holds again, ms. */
    forMs: z.int().min(logChangeMs.least).max(logChangeMs.most),
  }),
  z.object({ ...whom, kind: z.literal('reset'), components }),
]);
export type LogLevelRequest = z.infer<typeof logLevelRequestSchema>;

/** What a process says, after the change. */
export const logLevelAnswerSchema = z.object({
  v: z.literal(1),
  service: z.string(),
  identity: z.string(),
  incarnation: z.string(),
  levels: z.array(
    z.object({
      component: z.string(),
      level: z.string(),
      configured: z.string(),
      until: z.iso.datetime().optional(),
    }),
  ),
});
export type LogLevelAnswer = z.infer<typeof logLevelAnswerSchema>;

/** The components that a request names, as far as this process knows them. */
export function componentsOf(request: { components?: readonly string[] | undefined }) {
  const { components: named } = request;
  return logComponents.filter((component) => !named || named.includes(component));
}
