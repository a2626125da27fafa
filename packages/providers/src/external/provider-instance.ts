import { z } from 'zod';
import type { Instance, InstanceProblem } from '../provider.ts';
import { classOfText, excerpt, parseJson, problemsOf, wrongAnswer } from './failures.ts';
import { formatInstanceId, runnerIdIn } from './identity.ts';

/** What a command says of an instance. Some providers use states that the protocol does not have. */
const providerInstanceSchema = z.object({
  provider_id: z.string().min(1),
  name: z.string().min(1),
  status: z.string().min(1),
  provider_fault: z.base64().nullish(),
});
export type ProviderInstance = z.output<typeof providerInstanceSchema>;

/** Some clouds know lower case only. */
export function isNamed(found: ProviderInstance, name: string): boolean {
  return found.name.toLowerCase() === name.toLowerCase();
}

/** @throws ProviderError when the text is not one instance. */
export function readInstance(command: string, text: string): ProviderInstance {
  return parse(command, text, providerInstanceSchema);
}

/**
 * Reads a list, all or nothing: an instance that a list leaves out counts as gone, so one element that
 * cannot be understood must not make the list shorter.
 * @throws ProviderError that names the element.
 */
export function readInstances(command: string, text: string): ProviderInstance[] {
  // A provider written in Go says null for an empty list.
  return parse(command, text, z.array(providerInstanceSchema).nullable()) ?? [];
}

function parse<S extends z.ZodType>(command: string, text: string, schema: S): z.output<S> {
  const json = parseJson(text);
  if (!json) throw wrongAnswer(command, 'stdout is not JSON');
  const parsed = schema.safeParse(json.value);
  if (!parsed.success) throw wrongAnswer(command, problemsOf(parsed.error));
  return parsed.data;
}

interface Context {
  installationId: string;
  scaleSetId: string;
  /** ISO 8601: when this process saw it first, which is never before it was made. */
  firstSeenAt: string;
}

/**
 * The instance as the port shows it; undefined when this installation did not name it. What the protocol
 * does not carry is not made up: the generation is `unknown`, the runner's record knows it.
 */
export function toInstance(
  found: ProviderInstance,
  { installationId, scaleSetId, firstSeenAt }: Context,
): Instance | undefined {
  const runnerId = runnerIdIn(found.name, installationId);
  if (runnerId === undefined) return undefined;
  const { provider_id: providerId, name: runnerName } = found;
  return {
    instanceId: formatInstanceId({ scaleSetId, runnerName, providerId }),
    runnerId,
    runnerName,
    scaleSetId,
    generation: 'unknown',
    createdAt: firstSeenAt,
    ...stateOf(found),
  };
}

function stateOf(found: ProviderInstance): Pick<Instance, 'state' | 'exitCode' | 'problem'> {
  const problem = problemOf(found);
  const because = problem ? { problem } : {};
  switch (found.status) {
    case 'running':
      return { state: 'running', ...because };
    case 'stopped':
      // Stopped without a fault is the only way in which the protocol says that all went well.
      return { state: 'exited', ...(problem ? because : { exitCode: 0 }) };
    case 'error':
      return { state: 'exited', problem: problem ?? unexplained };
    default:
      return { state: 'starting', ...because };
  }
}

const unexplained: InstanceProblem = {
  class: 'transient',
  text: 'the provider says that the instance is in error, and not why',
};

function problemOf({ provider_fault: fault }: ProviderInstance): InstanceProblem | undefined {
  const text = excerpt(Buffer.from(fault ?? '', 'base64').toString('utf8'), []);
  return text === '' ? undefined : { class: classOfText(text), text };
}
