import type { Secret } from '@baton/shared/config';
import { z } from 'zod';
import type { ConfigUrl } from './config-url.ts';
import { readAnswer } from './read-answer.ts';
import type { CallLimit, GitHubTransport } from './transport.ts';

/** Whose jobs a runner group takes. A field that is undefined was not told. */
export interface RunnerGroupPolicy {
  id: number;
  name: string;
  /** `all`, `private` or `selected` repositories. */
  visibility: string | undefined;
  allowsPublicRepositories: boolean | undefined;
  restrictedToWorkflows: boolean | undefined;
}

const optional = <T>(schema: z.ZodType<T>) =>
  schema.nullish().transform((value) => value ?? undefined);

const policiesSchema = z.looseObject({
  runner_groups: z.array(
    z
      .looseObject({
        id: z.int(),
        name: z.string(),
        visibility: optional(z.string()),
        allows_public_repositories: optional(z.boolean()),
        restricted_to_workflows: optional(z.boolean()),
      })
      .transform(
        (raw): RunnerGroupPolicy => ({
          id: raw.id,
          name: raw.name,
          visibility: raw.visibility,
          allowsPublicRepositories: raw.allows_public_repositories,
          restrictedToWorkflows: raw.restricted_to_workflows,
        }),
      ),
  ),
});

/**
 * The first hundred runner groups of an organization, by the REST API ("List self-hosted runner
 * groups for an organization"); undefined for other scopes.
 */
export async function listRunnerGroupPolicies(
  transport: GitHubTransport,
  { scope, names, restBaseUrl }: ConfigUrl,
  { token, limit, signal }: { token: Secret; limit: CallLimit; signal: AbortSignal },
): Promise<RunnerGroupPolicy[] | undefined> {
  if (scope !== 'organization') return undefined;
  const what = 'list runner groups';
  const url = new URL(`${restBaseUrl}/orgs/${names.join('/')}/actions/runner-groups?per_page=100`);
  const answer = await transport.send({
    what,
    method: 'GET',
    url,
    auth: { scheme: 'Bearer', token },
    headers: { accept: 'application/vnd.github+json' },
    limit,
    signal,
  });
  return readAnswer(policiesSchema, answer, { what, host: url.host }).runner_groups;
}
