import type { z } from 'zod';
import { ProviderError } from '../provider-error.ts';
import type { KubernetesDefinition } from './definition.ts';
import { type Settings, settingsSchema, strictSettingsSchema } from './settings.ts';

/**
 * The settings of a scale set, if it may have them.
 * @throws ProviderError `invalid-settings` with every problem and its path.
 */
export function readSettings(settings: unknown, definition: KubernetesDefinition): Settings {
  const judged = strictSettingsSchema(definition).safeParse(settings);
  if (!judged.success) throw invalid(judged.error);
  const read = settingsSchema.safeParse(settings ?? {});
  if (!read.success) throw invalid(read.error);
  return read.data;
}

function invalid({ issues }: z.ZodError): ProviderError {
  const problems = issues.map(({ path, message }) => `settings${pathText(path)}: ${message}`);
  return new ProviderError('invalid-settings', problems.join('; '));
}

function pathText(path: readonly PropertyKey[]): string {
  return path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
}
