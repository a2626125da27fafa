import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Rule } from './cluster.ts';

const page = new URL('../../../../../docs/providers/kubernetes.md', import.meta.url);
const roleSchema = z.object({
  kind: z.literal('Role'),
  metadata: z.object({ name: z.string() }),
  rules: z.array(
    z.strictObject({
      apiGroups: z.tuple([z.literal('')]),
      resources: z.array(z.string()),
      verbs: z.array(z.string()),
    }),
  ),
});

/** The rules of a Role that the documentation tells operators to make: what is tested is what is told. */
export async function documentedRules(name = 'baton-runners'): Promise<Rule[]> {
  const text = await readFile(page, 'utf8');
  const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block]) => block ?? '');
  const documents = blocks.flatMap((block) => block.split(/^---$/m));
  const roles = documents
    .filter((document) => /^kind: Role$/m.test(document))
    .map((document) => roleSchema.parse(parse(document)));
  const role = roles.find(({ metadata }) => metadata.name === name);
  if (!role) throw new Error(`the documentation has no Role ${name}`);
  return role.rules.map(({ resources, verbs }) => ({ resources, verbs }));
}
