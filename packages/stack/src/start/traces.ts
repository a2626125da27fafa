import { resolve } from 'node:path';
import { errorText } from '@baton/shared/errors';
import {
  findLives,
  readTraceFile,
  renderLives,
  renderSteps,
  SpanIndex,
  slowest,
} from '@baton/traces';
import picocolors from 'picocolors';
import { z } from 'zod';
import type { Io, Output } from './io.ts';
import type { StartOptions } from './options.ts';
import { TraceReceiver } from './trace-receiver.ts';
import { collectorOf, telemetryVariables, traceVariables } from './trace-variables.ts';

/** What becomes of the traces of a run. */
interface Traces extends AsyncDisposable {
  /** For the services. */
  variables: Record<string, string>;
  /** To be told each line that a service logs. */
  onLog: (line: string) => void;
  /** Shows on `out` what there is, once the services have ended. Never fails. */
  show: (out: Output) => Promise<void>;
}

type Surroundings = Pick<Io, 'env' | 'hurry'> & { say: (text: string) => void };

/**
 * With `--trace` they go to a file; otherwise the environment decides.
 * @throws ConfigError when the file cannot be written.
 */
export async function openTraces(
  { trace }: Pick<StartOptions, 'trace'>,
  { env, hurry, say }: Surroundings,
): Promise<Traces> {
  const variables = telemetryVariables(env);
  const collector = collectorOf(env);
  if (trace === undefined) {
    if (collector !== undefined) say(`traces go to ${collector}, as the environment says`);
    const nothing = () => Promise.resolve();
    return { variables, onLog: lossTeller(say), show: nothing, [Symbol.asyncDispose]: nothing };
  }
  const file = resolve(trace);
  const receiver = await TraceReceiver.start(file, say);
  const instead = collector === undefined ? '' : `, and because of --trace not to ${collector}`;
  say(`traces go to ${file}${instead}`);
  return {
    variables: { ...variables, ...traceVariables(receiver.url) },
    onLog: () => undefined,
    show: async (out) => {
      await receiver[Symbol.asyncDispose]();
      if (!hurry.aborted) await showFile(file, { out, env, say });
    },
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}

/** A short run ends before the first export has been given up. */
const losses = ['spans are not taken, and lost meanwhile', 'the last spans may be lost'] as const;
const lossSchema = z.looseObject({ msg: z.enum(losses), reason: z.string() });

/** Says once that traces do not arrive: the logs of the services are not on view. */
function lossTeller(say: (text: string) => void): (line: string) => void {
  let hasTold = false;
  return (line) => {
    if (hasTold || !losses.some((loss) => line.includes(loss))) return;
    const loss = lossSchema.safeParse(parseJson(line)).data;
    if (!loss) return;
    hasTold = true;
    say(`traces are lost, and nothing waits for them: ${loss.reason}`);
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const plainWidth = 120;

async function showFile(
  file: string,
  { out, env, say }: { out: Output; env: Io['env']; say: (text: string) => void },
): Promise<void> {
  try {
    const index = new SpanIndex(await readTraceFile(file));
    const lives = findLives(index);
    if (lives.length === 0) return say(`no runner is in ${file}`);
    const isTerminal = out.isTTY === true && env.TERM !== 'dumb';
    const colors = picocolors.createColors(isTerminal && !env.NO_COLOR);
    const width = out.columns ?? plainWidth;
    const slowestFirst = slowest(lives, 1);
    out.write(`\n${renderLives(index, slowestFirst, { colors, width })}`);
    out.write(`\n${renderSteps(lives, colors)}\n`);
    say(`all ${lives.length} are shown by: node scripts/launch.mjs baton trace ${file} --list`);
  } catch (error) {
    say(errorText(error));
  }
}
