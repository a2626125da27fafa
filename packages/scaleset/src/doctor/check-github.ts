import type { Finding } from '@baton/shared/contracts';
import type { GitHubClients } from '../github-clients.ts';
import { checkScaleSets, type DeclaredScaleSet } from './check-scale-sets.ts';
import { checkScope } from './check-scope.ts';
import { Examination } from './examination.ts';

interface CheckOptions {
  /** Look at runner groups, registrations and labels too, not only at the way to GitHub. */
  scaleSets: boolean;
  /** Ends what is under way; what was found by then is returned. */
  signal: AbortSignal;
}

const scopesAtOnce = 4;

/**
 * What stands between this process and GitHub for these scale sets: for each credential and config
 * URL the credential, the connection, the clock, the tokens and the Actions service. Changes nothing
 * there. Never rejects; the findings hold no secret.
 */
export async function checkGitHub(
  clients: GitHubClients,
  declared: readonly DeclaredScaleSet[],
  { scaleSets, signal }: CheckOptions,
): Promise<Finding[]> {
  const scopes = [...Map.groupBy(declared, scopeKey).values()];
  const found: Finding[][] = scopes.map(() => []);
  let next = 0;
  const work = async () => {
    for (let index = next++; index < scopes.length; index = next++) {
      const members = scopes[index] ?? [];
      found[index] = await examine(clients, members, { scaleSets, signal });
    }
  };
  await Promise.all(Array.from({ length: scopesAtOnce }, work));
  return [...fileFindings(clients), ...found.flat()];
}

function scopeKey({ credential, configUrl }: DeclaredScaleSet): string {
  return JSON.stringify([credential, configUrl]);
}

async function examine(
  clients: GitHubClients,
  members: readonly DeclaredScaleSet[],
  { scaleSets, signal }: CheckOptions,
): Promise<Finding[]> {
  const [first] = members;
  if (!first) return [];
  const exam = new Examination(clients.transport, signal);
  const scope = { credentialName: first.credential, configUrl: first.configUrl };
  const open = await checkScope(exam, clients, scope);
  if (open && scaleSets) await checkScaleSets(exam, open, members);
  return exam.findings;
}

function fileFindings({ credentials }: GitHubClients): Finding[] {
  const problem = credentials.lookForProblem();
  if (problem === undefined) return [];
  const text = `the file as it is now cannot be used, and the one before is in use: ${problem}`;
  return [{ check: 'credentials-file', outcome: 'failed', text }];
}
