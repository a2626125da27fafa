/** One plain line for the person at the terminal. */
export function say(text) {
  process.stderr.write(`baton: ${text}\n`);
}

/** Something the person at the terminal must do; the message says what. */
export class LaunchError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
