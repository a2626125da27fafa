export { defaultOptions, type SimOptions } from './core/options.ts';
export { startSimulator } from './http/server.ts';
