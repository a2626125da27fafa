/** Whether the signal is aborted by now: TypeScript takes `aborted` for constant within a loop. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/**
 * The reason to abort what merely is not needed any more: nobody looks at it. Without a reason every
 * abort makes a DOMException with its stack, which is a good part of what a message costs.
 */
export const notNeeded = new Error('not needed any more');
