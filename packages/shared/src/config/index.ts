export { flagSchema, loadConfig, milliseconds, secretSchema } from './load-config.ts';
export { loadFile } from './named-file.ts';
export { Secret } from './secret.ts';
export { natsVariables, serviceVariables } from './service-config.ts';
