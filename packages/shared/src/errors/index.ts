export { AppError, ConfigError, ContractError, type ErrorCode, TimeoutError } from './app-error.ts';
export { errorText, toAppError } from './to-app-error.ts';
