export { flagSchema, loadConfig, milliseconds, secretSchema, wholeNumber } from './load-config.ts';
export { loadFile } from './named-file.ts';
export { Secret } from './secret.ts';
export { natsVariables, providerVariables, serviceVariables } from './service-config.ts';
export { type TelemetryConfig, telemetryVariables } from './telemetry-config.ts';
