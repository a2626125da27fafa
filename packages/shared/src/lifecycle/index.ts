export { exitCodes } from './exit-codes.ts';
export { Health } from './health.ts';
export { repeat } from './repeat.ts';
export { exitCodeOf, type Runtime, runMain, type ServiceConfig } from './run-main.ts';
export { SharedRounds } from './shared-rounds.ts';
