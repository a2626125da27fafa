export { SealingKeys, sealedSchema } from './sealing-keys.ts';
