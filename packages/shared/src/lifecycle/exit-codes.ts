/** What a process of Baton ends with. After sysexits(3) where it has a word for it. */
export const exitCodes = {
  /** Drained, or did what was asked. */
  ok: 0,
  /** A bug, a drain that took too long, or a result that is not right. */
  failed: 1,
  /** What was asked for could not be brought about (`npm start --kill`); or wrong usage. */
  usage: 2,
  /** Something that is needed cannot be reached: NATS, a port. */
  unavailable: 69,
  /** The configuration cannot be used. */
  config: 78,
} as const;
