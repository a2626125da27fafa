import { type KubernetesDefinition, kubernetesDefinitionSchema } from '../definition.ts';

export function aDefinition(changes: Record<string, unknown> = {}): KubernetesDefinition {
  return kubernetesDefinitionSchema.parse({
    type: 'kubernetes',
    namespace: 'runners',
    ...changes,
  });
}
