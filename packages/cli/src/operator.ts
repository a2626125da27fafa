/** Who runs the command, as records and events name them. */
export function operatorOf(env: Readonly<Record<string, string | undefined>>): string {
  return `operator ${env.USER ?? env.LOGNAME ?? 'unknown'}`;
}
