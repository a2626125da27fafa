/** Whether the signal is aborted by now: TypeScript takes `aborted` for constant within a loop. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
