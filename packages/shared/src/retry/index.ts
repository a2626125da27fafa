export { type BackoffPolicy, backoffMs, type Random } from './backoff.ts';
