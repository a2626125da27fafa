import { ProviderError } from '../provider-error.ts';
import {
  type ExternalDefinition,
  type ExternalSettings,
  externalSettingsSchema,
} from './definition.ts';
import { problemsOf } from './failures.ts';

/** Everything that an instance is made from. */
export type InstanceSettings = {
  [K in keyof ExternalSettings]-?: Exclude<ExternalSettings[K], undefined>;
};

/**
 * A scale set's settings, with what the definition says for those that it leaves out.
 * @throws ProviderError `invalid-settings` that names what is wrong.
 */
export function instanceSettings(
  own: unknown,
  { defaults, allowedSettings }: ExternalDefinition,
): InstanceSettings {
  const parsed = externalSettingsSchema.safeParse(own ?? {});
  if (!parsed.success) throw invalid(problemsOf(parsed.error));
  const allowed = new Set<string>(allowedSettings);
  const refused = Object.keys(parsed.data).filter((name) => !allowed.has(name));
  if (refused.length > 0)
    throw invalid(`${refused.join(', ')}: the provider's allowedSettings do not name them`);
  const { image, flavor, ...rest } = { ...defaults, ...parsed.data };
  if (image === undefined || flavor === undefined)
    throw invalid('image and flavor: neither the scale set nor the provider has a value for both');
  return {
    image,
    flavor,
    osType: rest.osType ?? 'linux',
    osArch: rest.osArch ?? 'amd64',
    runnerGroup: rest.runnerGroup ?? 'default',
    extraSpecs: rest.extraSpecs === undefined ? {} : rest.extraSpecs,
  };
}

function invalid(text: string): ProviderError {
  return new ProviderError('invalid-settings', `the settings cannot be used: ${text}`);
}
