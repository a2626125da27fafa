export { type ProviderBench, providerConformance } from '../conformance.ts';
