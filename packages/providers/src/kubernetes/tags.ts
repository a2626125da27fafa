import type { CreateRequest } from '../provider.ts';
import { labelValue } from './pod-name.ts';

/** Labels are for selecting; the exact values, which a label may not be able to hold, are annotations. */
export const keys = {
  installation: 'baton/installation',
  scaleSet: 'baton/scale-set',
  runner: 'baton/runner',
  runnerName: 'baton/runner-name',
  generation: 'baton/generation',
  /** On a Secret: the pod that it is for. */
  pod: 'baton/pod',
} as const;

const managedBy = { 'app.kubernetes.io/managed-by': 'baton' };

export function podLabels(request: CreateRequest): Record<string, string> {
  return {
    ...managedBy,
    [keys.installation]: request.installationId,
    [keys.scaleSet]: labelValue(request.scaleSetId),
    [keys.runner]: labelValue(request.runnerId),
    [keys.generation]: labelValue(request.generation),
  };
}

export function podAnnotations(request: CreateRequest): Record<string, string> {
  return {
    [keys.scaleSet]: request.scaleSetId,
    [keys.runner]: request.runnerId,
    [keys.runnerName]: request.runnerName,
    [keys.generation]: request.generation,
  };
}

/** Defaults that keep cluster autoscalers from moving a runner; a template may say otherwise. */
export const protectingAnnotations = {
  'karpenter.sh/do-not-disrupt': 'true',
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
};

export function secretLabels(installationId: string, pod: string): Record<string, string> {
  return { ...managedBy, [keys.installation]: installationId, [keys.pod]: pod };
}

/** Selects all pods of an installation. */
export function installationSelector(installationId: string): string {
  return selector({ ...managedBy, [keys.installation]: installationId });
}

export function selector(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
