/** What `main.ts` lends to the commands. */
export interface CliContext {
  print: (line: string) => void;
  /** Aborted when the process is told to stop. */
  signal: AbortSignal;
}
