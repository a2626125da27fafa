/** What the runner needs from its JIT config. */
export interface RunnerIdentity {
  serverUrl: string;
  agentId: number;
  secret: string;
}

/** Reads the files inside a JIT config. Throws when it is not one. */
export function readJitConfig(encoded: string): RunnerIdentity {
  const files = decode(encoded);
  const runner = decode(textOf(files, '.runner'));
  const credentials = decode(textOf(files, '.credentials'));
  return {
    serverUrl: textOf(runner, 'serverUrl'),
    agentId: Number(textOf(runner, 'agentId')),
    secret: textOf(fieldOf(credentials, 'data'), 'clientId'),
  };
}

function decode(base64: string): unknown {
  return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
}

/** A field of a value that should be an object; undefined when it is not there. */
export function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

function textOf(value: unknown, name: string): string {
  const field = fieldOf(value, name);
  if (typeof field !== 'string') throw new Error(`the JIT config has no ${name}`);
  return field;
}
