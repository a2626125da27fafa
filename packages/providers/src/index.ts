export type { EngineAddress } from './docker/engine-address.ts';
export { importImage, removeImage } from './docker/local-image.ts';
export { loadProviders } from './load-providers.ts';
export type {
  ComputeProvider,
  CreateRequest,
  Instance,
  InstanceProblem,
  InstanceState,
} from './provider.ts';
export type { ProviderDeps } from './provider-deps.ts';
export { ProviderError, type ProviderErrorClass } from './provider-error.ts';
export { createProvider, type ProviderDefinition, providerDefinitionSchema } from './registry.ts';
